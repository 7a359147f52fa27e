"""Range calibration: volts per model unit of every signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.array.window import Window
from circuits.stages.clamp import CLAMP_ONSET
from cosim.compiler.neuron_scales import Layered, neuron_scales
from cosim.compiler.resistors import floor_digits
from cosim.errors import CosimError
from cosim.problem.network import Network
from cosim.problem.time_inputs import time_values

SMALLEST = 1e-100  # units, and its inverse the largest: products of scales and weights stay far inside float64
ALIKE = 1.5  # ratio of the largest to the smallest state up to which all have one scale, as one sees at a glance
TIMES = 17  # at which a network that takes time is calibrated
SWING = 2.2  # V, what the op-amps reach on +-2.5 V with room to spare


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """How far signals may go."""

    line: float = 0.2  # V, largest on a crossbar line: the memristors' read limit
    derivative: float = 1.0  # V, largest at the integrators' inputs; drives no memristor
    headroom: float = 1.25  # calibrated maxima are multiplied by this

    def __post_init__(self) -> None:
        if not 0 < self.line <= CLAMP_ONSET:
            raise CosimError(f"line range {self.line} V: must lie between 0 and the clamps' onset, {CLAMP_ONSET} V")
        if not 0 < self.derivative <= SWING:
            raise CosimError(f"derivative range {self.derivative} V: must lie between 0 and the swing, {SWING} V")
        if self.headroom < 1:
            raise CosimError(f"headroom {self.headroom}: must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Samples of what the network will see: its external inputs and states along the training trajectories."""

    inputs: np.ndarray  # (m, n_external) model units; lists and tensors are taken too
    states: np.ndarray  # (m, n_states) model units

    def __post_init__(self) -> None:
        for name in ("inputs", "states"):
            try:
                given = getattr(self, name)
                array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given, dtype=float)
            except (TypeError, ValueError) as error:
                raise CosimError(f"calibration {name}: need a finite (samples, signals) array of numbers ({error})") from error
            if array.ndim != 2:
                raise CosimError(f"calibration {name}: need a (samples, signals) array, got the shape {array.shape}; one "
                                 "signal is a column, (samples, 1)")
            if not np.isfinite(array).all():
                row, column = np.argwhere(~np.isfinite(array))[0].tolist()
                raise CosimError(f"calibration {name}: [{row}, {column}] is {array[row, column]}, one of "
                                 f"{np.count_nonzero(~np.isfinite(array))} numbers that are not finite; leave those samples "
                                 "out, or repair them")
            object.__setattr__(self, name, array)
        if len(self.inputs) != len(self.states):
            raise CosimError(
                f"calibration has {len(self.inputs)} samples of inputs and {len(self.states)} of states; need as many"
            )
        if not len(self.states):
            raise CosimError("calibration has no samples; scales are chosen from them, so give some that cover the run")

    def over_time(self, network: Network, duration: float) -> Calibration:
        """With the inputs that the network makes of time: every sample at ``TIMES`` times from 0 to ``duration`` [model s]."""
        if self.inputs.shape[1] == network.n_external:
            return self
        values = time_values(network, np.linspace(0.0, duration, TIMES))
        inputs = [np.column_stack([self.inputs, np.broadcast_to(row, (len(self.inputs), len(row)))]) for row in values]
        return Calibration(inputs=np.concatenate(inputs), states=np.tile(self.states, (TIMES, 1)))


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Volts per model unit, and seconds per model second."""

    inputs: tuple[float, ...]  # V per unit, one per external input
    states: tuple[float, ...]  # V per unit, one per state
    hidden: tuple[float | tuple[float, ...], ...]  # V per unit, one per hidden layer, or one per neuron of it
    derivatives: tuple[float, ...]  # V per (unit / model second), one per state
    bias: float  # V, stands for 1
    time: float  # circuit seconds per model second

    @property
    def state(self) -> np.ndarray:
        """(n_states,) V per unit."""
        return np.array(self.states)

    @property
    def neurons(self) -> tuple[np.ndarray, ...]:
        """V per unit of every hidden layer: one number (), or one per neuron (n,)."""
        return tuple(np.array(layer) for layer in self.hidden)

    @property
    def derivative(self) -> np.ndarray:
        """(n_states,) V per (unit / model second)."""
        return np.array(self.derivatives)

    def as_fields(self) -> dict[str, Any]:
        """For manifest.json, which gives one number where all states have the same."""
        return {"inputs": self.inputs, "state": _one_or_all(self.states), "hidden": self.hidden,
                "derivative": _one_or_all(self.derivatives), "bias": self.bias, "time": self.time}


def _one_or_all(values: tuple[float, ...]) -> float | tuple[float, ...]:
    return values[0] if len(set(values)) == 1 else values


def calibrate(network: Network, calibration: Calibration, ranges: Ranges, time_scale: float, window: Window) -> Scales:
    """Choose scales so that no calibrated signal passes its range; three significant digits, rounded down.

    A signal that is always zero in the calibration (a dead hidden layer) is given a full scale of one unit.

    Args:
        network: what the signals are computed with.
        calibration: samples; the derivative's scale is a target, the integrators' resistor then fixes it.
        ranges: limits.
        time_scale: circuit seconds per model second.
        window: of conductances, by which neurons are given scales of their own where that helps.
    Raises:
        CosimError: a signal is too small or too large for any scale; names it.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        outputs = network.signals(calibration.inputs, calibration.states)

    def scale(name: str, signal: np.ndarray, volts: float) -> float:
        largest = float(np.abs(signal).max(initial=0.0))
        if largest and not SMALLEST < largest < 1 / SMALLEST:
            raise CosimError(f"{name} reaches {largest:.3g} units in the calibration; scales work from {SMALLEST:g} to "
                             f"{1 / SMALLEST:g}: rescale the network, or its units")
        return floor_digits(volts / ranges.headroom / (largest or 1.0))

    last = ranges.derivative if not network.layers[-1].relu else ranges.line  # a ReLU stage carries a clamp
    largest = np.abs(calibration.states).max(axis=0)
    moving = largest[largest > 0]
    if not moving.size or moving.max() <= ALIKE * moving.min():
        states = (scale("state", calibration.states, ranges.line),) * network.n_states
        derivatives = (scale("output layer", outputs[-1], last),) * network.n_states
    else:  # a scale each, so that no state's error depends on the unit that it is given in
        states = tuple(scale(f"state {k}", calibration.states[:, k], ranges.line) for k in range(network.n_states))
        # All integrators have one time constant: derivatives in volts follow the states' volts.
        per_volt = scale("output layer, by the states' scales", outputs[-1] * np.array(states), last)
        derivatives = tuple(per_volt * state for state in states)
    inputs = tuple(scale(f"external input {k}", calibration.inputs[:, k], ranges.line)
                   for k in range(calibration.inputs.shape[1]))
    hidden = tuple(scale(f"hidden layer {k}", signal, ranges.line) for k, signal in enumerate(outputs[:-1], start=1))
    own = neuron_scales(Layered(
        network=network, inputs=calibration.inputs, states=calibration.states, state=np.array(states), window=window,
        first=network.first(np.array([inputs]), np.array([states]))[0], derivative=np.array(derivatives), bias=ranges.line,
        line=ranges.line / ranges.headroom))
    return Scales(
        inputs=inputs,
        states=states,
        hidden=hidden if own is None else tuple(tuple(map(floor_digits, layer)) for layer in own),
        derivatives=derivatives,
        bias=ranges.line,
        time=time_scale,
    )
