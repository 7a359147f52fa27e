"""A chain of ReLU layers while it is fitted: evaluated on many points, its neurons brought to one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cosim.problem.lowering.layers import Laid
from cosim.problem.lowering.program import Program

GAIN = 3.0  # largest of a neuron: of one of its inputs as far as that reaches, or of its bias


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """relu(W x + b) of every layer but the last, which is W x + b."""

    weights: tuple[np.ndarray, ...]  # (out, in)
    biases: tuple[np.ndarray, ...]  # (out,)

    @classmethod
    def of(cls, laid: Laid) -> Chain:
        return cls(weights=laid.weights, biases=laid.biases)

    @property
    def laid(self) -> Laid:
        return Laid(weights=self.weights, biases=self.biases, carried=0)

    @property
    def neurons(self) -> int:
        """Of all hidden layers: one amplifier each."""
        return sum(len(weight) for weight in self.weights[:-1])

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, then the outputs of every layer."""
        return (self.weights[0].shape[1], *(len(weight) for weight in self.weights))

    def hidden(self, z: np.ndarray) -> np.ndarray:
        """What the last layer takes, (..., width), of inputs (..., n)."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = np.maximum(z @ weight.T + bias, 0.0)
        return z

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """dx/dt (..., n_states) of inputs (..., n)."""
        return self.hidden(z) @ self.weights[-1].T + self.biases[-1]

    def with_last(self, weight: np.ndarray, bias: np.ndarray) -> Chain:
        """The same with another last layer."""
        return replace(self, weights=(*self.weights[:-1], weight), biases=(*self.biases[:-1], bias))

    def levelled(self, z: np.ndarray) -> Chain:
        """The same function, every neuron scaled so that it reaches 1 on the points, or as far as a gain of GAIN takes it.

        A layer has one scale and one feedback resistor on the board. A neuron that stays small in it drowns in what its
        amplifier is off; one with a large gain makes the resistor large for all, and with it what the others are off.
        """
        weights, biases, before = list(self.weights), list(self.biases), np.ones(self.weights[0].shape[1])
        for number in range(len(weights)):
            weights[number] = weights[number] * before
            if number + 1 < len(weights):
                reach = np.abs(z).max(axis=0)
                gain = np.maximum((np.abs(weights[number]) * reach).max(axis=1), np.abs(biases[number]))
                z = np.maximum(z @ weights[number].T + biases[number], 0.0)
                before = np.maximum(z.max(axis=0), gain / GAIN)
                before = np.where(before > 0, before, 1.0)
                weights[number], biases[number], z = weights[number] / before[:, None], biases[number] / before, z / before
        return Chain(weights=tuple(weights), biases=tuple(biases))


@dataclass(frozen=True, kw_only=True, eq=False)
class Feed:
    """What a chain takes: the module's columns, time, and what the module computes of time alone."""

    program: Program
    time_signals: Sequence[tuple[str, int]] = ()  # (value of the program, entry)

    def __call__(self, times: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(m, n_columns + 1 + time signals) at times (m,) [model s] and columns (m, n_columns)."""
        if not self.time_signals:
            return np.column_stack([columns, times])
        values = self.program.batch(times, columns)
        return np.column_stack([columns, times, *(values[name].reshape(len(times), -1)[:, entry].numpy()
                                                  for name, entry in self.time_signals)])

    def at(self, t: float, columns: np.ndarray) -> np.ndarray:
        """The same at one time [model s] and columns (n_columns,)."""
        if not self.time_signals:
            return np.append(columns, t)
        values = self.program.values(t, columns)
        return np.concatenate([columns, [t], [float(values[name].reshape(-1)[entry]) for name, entry in self.time_signals]])
