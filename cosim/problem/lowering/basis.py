"""What a lowered network is made of while it is read: inputs, ReLU neurons, and tensors that are affine in both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cosim.problem.lowering.program import DTYPE


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineTensor:
    """A tensor whose entries are affine in the signals of a basis: entry = constant + sum over k of coefficient_k signal_k."""

    rows: Tensor  # (1 + signals known when it was made, *shape); row 0 is the constant

    @property
    def shape(self) -> torch.Size:
        return self.rows.shape[1:]

    @property
    def is_constant(self) -> bool:
        return not bool(self.rows[1:].any())

    def widened(self, n_rows: int) -> Tensor:
        """The rows, with zeros for signals that came later."""
        more = n_rows - len(self.rows)
        return torch.cat([self.rows, self.rows.new_zeros((more, *self.shape))]) if more else self.rows


@dataclass(kw_only=True, eq=False)
class Basis:
    """Signals in the order in which they were found: inputs first, then neurons, each relu(affine in what came before)."""

    n_inputs: int
    neurons: list[np.ndarray] = field(default_factory=list)  # (1 + signals before it,) coefficients of its pre-activation
    _known: dict[bytes, int] = field(default_factory=dict)  # coefficients -> place, so that equal neurons are one

    def __len__(self) -> int:
        return self.n_inputs + len(self.neurons)

    def inputs(self, first: int, shape: tuple[int, ...]) -> AffineTensor:
        """Some of the inputs as a tensor, from ``first`` on."""
        count = int(np.prod(shape, dtype=int))
        rows = torch.zeros((1 + len(self), count), dtype=DTYPE)
        rows[torch.arange(1 + first, 1 + first + count), torch.arange(count)] = 1.0
        return AffineTensor(rows=rows.reshape(-1, *shape))

    def relu(self, value: AffineTensor) -> AffineTensor:
        """relu of every entry: a neuron each, but for entries that are constant."""
        flat = value.rows.reshape(len(value.rows), -1).numpy()
        places = [self._neuron(flat[:, entry]) for entry in range(flat.shape[1])]
        rows = torch.zeros((1 + len(self), flat.shape[1]), dtype=DTYPE)
        for entry, place in enumerate(places):
            if place is None:
                rows[0, entry] = max(float(flat[0, entry]), 0.0)
            else:
                rows[1 + place, entry] = 1.0
        return AffineTensor(rows=rows.reshape(len(rows), *value.shape))

    def _neuron(self, coefficients: np.ndarray) -> int | None:
        """Place of the neuron among the signals; None where it depends on nothing."""
        used = np.flatnonzero(coefficients)
        if not used.size or used[-1] == 0:
            return None
        coefficients = coefficients[: used[-1] + 1]
        if used.size == 1 and coefficients[-1] == 1.0 and used[-1] > self.n_inputs:
            return int(used[-1]) - 1  # relu of a neuron is that neuron
        key = coefficients.tobytes()
        if key not in self._known:
            self._known[key] = len(self)
            self.neurons.append(coefficients.copy())
        return self._known[key]

    def values(self, inputs: np.ndarray) -> np.ndarray:
        """Constant and signals (m, 1 + signals) for inputs (m, n_inputs)."""
        values = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
        for coefficients in self.neurons:
            neuron = np.maximum(values[:, : len(coefficients)] @ coefficients, 0.0)
            values = np.column_stack([values, neuron])
        return values
