"""Laying a lowered network in layers: what a later layer needs is carried through the layers between by ReLU units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cosim.problem.lowering.lower import Lowered


@dataclass(frozen=True, kw_only=True)
class Laid:
    """Weights of a chain: relu(W x + b) of every layer but the last, which is W x + b."""

    weights: tuple[np.ndarray, ...]  # (out, in)
    biases: tuple[np.ndarray, ...]  # (out,)
    carried: int  # units that only carry a signal past a layer

    def without_inputs(self, unused: Sequence[int]) -> Laid:
        """The same without inputs that nothing depends on."""
        return replace(self, weights=(np.delete(self.weights[0], list(unused), axis=1), *self.weights[1:]))

    @property
    def used_inputs(self) -> np.ndarray:
        """(n_inputs,) whether anything depends on an input."""
        return self.weights[0].any(axis=0)


def lay(lowered: Lowered) -> Laid:
    """Chain of layers that computes the same.

    A signal that is needed further on goes through a layer unchanged: a neuron's, which is never negative, as relu(h); an
    input's as relu(x) - relu(-x). Neurons that nothing depends on are left out.
    """
    n_inputs, neurons = lowered.basis.n_inputs, lowered.basis.neurons
    result = lowered.result
    level = [0] * n_inputs
    for coefficients in neurons:
        level.append(1 + max((level[k - 1] for k in np.flatnonzero(coefficients) if k), default=0))
    needed = _needed(result, neurons, n_inputs)
    deepest = max((level[n_inputs + k] for k in range(len(neurons)) if needed[n_inputs + k]), default=0)
    # signal -> the last layer, counted from 1, whose pre-activations take it
    last_use = [0] * len(level)
    for place, coefficients in enumerate(neurons, start=n_inputs):
        if needed[place]:
            for k in np.flatnonzero(coefficients):
                if k:
                    last_use[k - 1] = max(last_use[k - 1], level[place])
    for k in np.flatnonzero(result.any(axis=1)):
        if k:
            last_use[k - 1] = deepest + 1

    feeding = {signal: {signal: 1.0} for signal in range(n_inputs)}  # signal -> {unit of the layer before: factor}
    width, weights, biases, carried = n_inputs, [], [], 0
    for number in range(1, deepest + 1):
        layer = _Units(feeding=feeding, width=width)
        after: dict[int, dict[int, float]] = {}
        for place, coefficients in enumerate(neurons, start=n_inputs):
            if needed[place] and level[place] == number:
                terms = {int(k) - 1: float(coefficients[k]) for k in np.flatnonzero(coefficients) if k}
                after[place] = {layer.unit(terms, float(coefficients[0])): 1.0}
        before = len(layer)
        for signal in range(len(level)):
            if level[signal] < number < last_use[signal] and needed[signal]:
                after[signal] = {layer.unit({signal: 1.0}): 1.0}
                if signal < n_inputs:
                    after[signal][layer.unit({signal: -1.0})] = -1.0
        carried += len(layer) - before
        weights.append(layer.weight)
        biases.append(layer.bias)
        feeding, width = after, len(layer)
    last = np.zeros((result.shape[1], width))
    for k in np.flatnonzero(result.any(axis=1)):
        if k:
            for place, part in feeding[k - 1].items():
                last[:, place] += result[k] * part
    return Laid(weights=(*weights, last), biases=(*biases, result[0].copy()), carried=carried)


@dataclass(kw_only=True, eq=False)
class _Units:
    """The units of a layer while it is laid; equal ones are one."""

    feeding: dict[int, dict[int, float]]
    width: int  # of the layer before
    rows: list[np.ndarray] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    known: dict[bytes, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def unit(self, terms: Mapping[int, float], offset: float = 0.0) -> int:
        """Place of the unit relu(sum of factor times signal + offset)."""
        row = np.zeros(self.width)
        for signal, factor in terms.items():
            for place, part in self.feeding[signal].items():
                row[place] += factor * part
        key = np.append(row, offset).tobytes()
        if key not in self.known:
            self.known[key] = len(self)
            self.rows.append(row)
            self.offsets.append(offset)
        return self.known[key]

    @property
    def weight(self) -> np.ndarray:
        return np.array(self.rows).reshape(len(self), self.width)

    @property
    def bias(self) -> np.ndarray:
        return np.array(self.offsets)


def _needed(result: np.ndarray, neurons: list[np.ndarray], n_inputs: int) -> list[bool]:
    needed = [bool(row.any()) for row in result[1:]] + [False] * (n_inputs + len(neurons) - len(result) + 1)
    for place in range(n_inputs + len(neurons) - 1, n_inputs - 1, -1):
        if needed[place]:
            for k in np.flatnonzero(neurons[place - n_inputs]):
                if k:
                    needed[k - 1] = True
    return needed
