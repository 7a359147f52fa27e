"""A scale for every hidden neuron, where one for a whole layer would leave some of them in their amplifiers' offsets.

A ReLU network computes the same when a neuron's weights and bias are multiplied by a positive number and what it feeds is
divided by it. On the board it is not the same. A neuron that uses a small part of its line's range is disturbed more by the
offset of its amplifier. A neuron that is scaled up needs larger weights, and the largest weight of a layer fixes the feedback
resistor of all its neurons, with which the offsets are amplified. The search below limits the weights of each layer at the
value at which the predicted effect of all offsets on the derivative is least.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from circuits.array.window import Window
from cosim.problem.network import Network

WORTH = 2.0  # times by which the predicted error must fall; small differences are not predicted well
LIMITS = np.geomspace(0.02, 50.0, 35)  # V/V, largest weights of a layer that are tried
SAMPLES = 256  # of the calibration, at which the sensitivity is taken
SWEEPS = 3
EXTREMES = (1e-100, 1e100)  # V per unit, least and largest of a neuron


@dataclass(frozen=True, kw_only=True, eq=False)
class Layered:
    """A network with the scales of its inputs and outputs, and how far its signals go."""

    network: Network
    inputs: np.ndarray  # (m, n_external) calibration samples, model units
    states: np.ndarray  # (m, n_states)
    first: np.ndarray  # (columns,) V per unit
    state: np.ndarray  # (n_states,) V per unit
    derivative: np.ndarray  # (n_states,) V per (unit / model second)
    line: float  # V, largest of a hidden neuron
    bias: float  # V
    window: Window

    @cached_property
    def reach(self) -> list[np.ndarray]:
        """Largest signal of every hidden neuron, (n,) units a layer."""
        return [np.abs(signal).max(axis=0) for signal in self.network.signals(self.inputs, self.states)[:-1]]

    @cached_property
    def sensitivity(self) -> list[np.ndarray]:
        """Root mean square of d(derivative)/d(neuron) over samples and states, (n,) a layer; states in their own volts."""
        chosen = np.linspace(0, len(self.states) - 1, min(SAMPLES, len(self.states))).round().astype(int)
        before = self.network.pre_activations(self.inputs[chosen], self.states[chosen])
        found: list[np.ndarray] = []
        slope = np.broadcast_to(np.diag(self.state), (len(chosen), len(self.state), len(self.state)))
        for number in range(len(self.network) - 1, 0, -1):
            layer = self.network.layers[number]
            gate = before[number] > 0 if layer.relu else np.ones_like(before[number], dtype=bool)
            slope = (slope * gate[:, None, :]) @ layer.weight
            found.insert(0, np.sqrt((slope**2).sum(axis=1).mean(axis=0)))
        return found

    def even(self) -> list[np.ndarray]:
        """One scale a layer, (n,) V per unit each."""
        return [np.full(len(reach), self.line / (reach.max() or 1.0)) for reach in self.reach]

    def limited(self, limits: np.ndarray) -> list[np.ndarray]:
        """Every neuron as far up as its line and the limits of its weights let it go.

        Args:
            limits: (hidden layers,) V/V, largest weight of a row.
        """
        before, scales = self.first, []
        for layer, reach, limit in zip(self.network.layers, self.reach, limits, strict=False):
            largest = np.abs(self._weights(layer, before)).max(axis=1)
            with np.errstate(divide="ignore", over="ignore"):
                bound = np.minimum(self.line / reach, limit / largest)  # a neuron that is always off has one bound, or none
            used = reach > 0
            top = (bound[used] * reach[used]).max(initial=0.0)
            before = np.clip(np.where(np.isfinite(bound), bound * (self.line / top if top else 1.0), self.line), *EXTREMES)
            scales.append(before)
        return scales

    def error(self, scales: list[np.ndarray]) -> float:
        """Predicted root mean square of what equal, independent offsets of all amplifiers do to the derivative."""
        feeding, giving = [self.first, *scales], [*scales, self.derivative]
        felt = [*self.sensitivity, self.state]
        square = 0.0
        for layer, before, after, slope in zip(self.network.layers, feeding, giving, felt, strict=True):
            weight = np.abs(self._weights(layer, before) * after[:, None])
            idle = 2 * self.window.g_min * weight.shape[1] / self.window.span
            gain = 1.0 + weight.max() * idle + weight.sum(axis=1)  # of an amplifier's offset, by all that its line carries
            square += float(((gain * slope / after) ** 2).sum())
        return float(np.sqrt(square))

    def _weights(self, layer, before: np.ndarray) -> np.ndarray:
        """(out, in and bias) units per V."""
        weight = layer.weight / before
        return weight if layer.bias is None else np.column_stack([weight, layer.bias / self.bias])


def neuron_scales(layered: Layered) -> list[np.ndarray] | None:
    """V per unit of every hidden neuron, (n,) a layer; None: one scale a layer does nearly as well."""
    hidden = len(layered.network) - 1
    if not hidden:
        return None
    limits = np.full(hidden, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # weights near the ends of what a double holds: no scale helps
        for _ in range(SWEEPS):
            for place in range(hidden):
                tried = [np.concatenate([limits[:place], [limit], limits[place + 1:]]) for limit in LIMITS]
                limits = min(tried, key=lambda one: layered.error(layered.limited(one)))
        best = layered.limited(limits)
        return best if layered.error(best) * WORTH < layered.error(layered.even()) else None
