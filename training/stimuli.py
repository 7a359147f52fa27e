"""Stimuli: an object gives both the torch callable and the SPICE sources, so that the two can never disagree.

Time is in seconds, values are in model units. Every stimulus is held at s(0) for t < 0, as a SPICE source is before its delay.
The SPICE text follows the ngspice manual, sections "Sinusoidal" and "Piece-Wise Linear" of independent sources.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch

from training.errors import StimulusError


@dataclass(frozen=True, kw_only=True)
class Stimulus(ABC):
    """A periodic waveform of the HP memristor experiment; see `STIMULI` for the four published ones."""

    amplitude: float = 0.091  # model units
    bias: float = 0.0485  # model units
    period: float = 0.1  # s
    name: ClassVar[str]

    def __post_init__(self):
        if not (math.isfinite(self.amplitude) and math.isfinite(self.bias)):
            raise StimulusError(f"{self.name}: amplitude = {self.amplitude}, bias = {self.bias}; both must be finite")
        if not (math.isfinite(self.period) and self.period > 0):
            raise StimulusError(f"{self.name}: period = {self.period} s; it must be finite and above 0 s")

    def __call__(self, t):
        """Value at time t [s] of any shape. A tensor gives a float64 tensor, an array gives an array, a float gives a float.

        numpy computes all three, because on a single number, which is what a solver asks for, torch takes thirty times as
        long. The value for a tensor carries no gradient with respect to time.
        """
        if isinstance(t, torch.Tensor):
            return torch.as_tensor(self._value(np.maximum(t.detach().numpy().astype(np.float64), 0.0)))
        if isinstance(t, np.ndarray):
            return np.asarray(self._value(np.maximum(t.astype(np.float64), 0.0)))
        return float(self._value(max(float(t), 0.0)))

    @abstractmethod
    def _value(self, t: float | np.ndarray) -> float | np.ndarray:
        """Value at t >= 0 in float64, of the same shape."""

    @abstractmethod
    def integral(self, t: np.ndarray) -> np.ndarray:
        """Exact integral from 0 to t >= 0 [model units * s], of the same shape as t."""

    def breakpoints(self, t_stop: float) -> np.ndarray:
        """Times [s] strictly inside (0, t_stop) at which the slope jumps, ascending."""
        return np.empty(0)

    @abstractmethod
    def spice_sources(self, volts_per_unit: float, delay: float, t_stop: float) -> tuple[str, ...]:
        """SPICE values of voltage sources that are put in series; their sum is volts_per_unit * s(time - delay).

        Args:
            volts_per_unit: [V per model unit].
            delay: simulation time at which t = 0 [s]; the value is s(0) before it.
            t_stop: stimulus time that the sources must cover, counted from the delay [s].
        """

    def stretched(self, factor: float) -> "Stimulus":
        """The same waveform with every time multiplied, as a circuit sees it that takes ``factor`` seconds per model second."""
        return replace(self, period=self.period * factor)

    @property
    def _omega(self) -> float:
        return 2.0 * math.pi / self.period


def _sin_source(offset: float, amplitude: float, frequency: float, delay: float) -> str:
    return f"sin({float(offset)!r} {float(amplitude)!r} {float(frequency)!r} {float(delay)!r})"


class Sine(Stimulus):
    """bias + A sin(wt)."""

    name = "sine"

    def _value(self, t):
        return self.bias + self.amplitude * np.sin(self._omega * t)

    def integral(self, t):
        return self.bias * t + self.amplitude / self._omega * (1.0 - np.cos(self._omega * t))

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return (_sin_source(self.bias * volts_per_unit, self.amplitude * volts_per_unit, 1.0 / self.period, delay),)


class ModulatedSine(Stimulus):
    """bias - A sin(wt) cos(2wt) = bias + A/2 sin(wt) - A/2 sin(3wt), an exact identity, hence two SIN sources."""

    name = "modulated_sine"

    def _value(self, t):
        return self.bias - self.amplitude * np.sin(self._omega * t) * np.cos(2.0 * self._omega * t)

    def integral(self, t):
        w, half = self._omega, 0.5 * self.amplitude
        return self.bias * t + half / w * (1.0 - np.cos(w * t)) - half / (3.0 * w) * (1.0 - np.cos(3.0 * w * t))

    def spice_sources(self, volts_per_unit, delay, t_stop):
        half = 0.5 * self.amplitude * volts_per_unit
        return (
            _sin_source(self.bias * volts_per_unit, half, 1.0 / self.period, delay),
            _sin_source(0.0, -half, 3.0 / self.period, delay),
        )


@dataclass(frozen=True, kw_only=True)
class _PiecewiseLinear(Stimulus):
    """A waveform through the corners of a cycle, which both torch and SPICE use.

    The cycle starts at `_origin`; before that the waveform rests at the cycle's first value.
    """

    @property
    def _origin(self) -> float:
        """Start of the first cycle [s]."""
        return 0.0

    @abstractmethod
    def _corners(self) -> tuple[tuple[float, float], ...]:
        """Corners as (time from the start of the cycle [s], value), from 0 to the period; the last value is the first."""

    def _value(self, t):
        at, value = self._cycle
        return np.interp(np.maximum(t - self._origin, 0.0) % self.period, at, value)

    @cached_property
    def _cycle(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and values of the corners."""
        return tuple(np.array(self._corners()).T)

    def _knots(self, t_stop: float) -> tuple[np.ndarray, np.ndarray]:
        """Absolute times [s] and values of the corners, from t = 0 to the first corner at or after t_stop."""
        corners = self._corners()
        cycles = max(1, math.ceil((t_stop - self._origin) / self.period) + 1)
        knots = [(self._origin + n * self.period + at, value) for n in range(cycles) for at, value in corners[:-1]]
        if self._origin > 0.0:
            knots.insert(0, (0.0, corners[0][1]))
        times, values = np.array(knots).T
        stop = min(int(np.searchsorted(times, t_stop)) + 1, len(times))
        return times[:stop], values[:stop]

    def breakpoints(self, t_stop):
        times, values = self._knots(t_stop)
        slope = np.diff(values) / np.diff(times)
        bends = times[1:-1][~np.isclose(slope[1:], slope[:-1], rtol=1e-9, atol=1e-12)]
        return bends[(bends > 0.0) & (bends < t_stop)]

    def integral(self, t):
        t = np.asarray(t, dtype=np.float64)
        times, values = self._knots(float(t.max()) + self.period)
        area = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(times))])
        k = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
        slope = (values[k + 1] - values[k]) / (times[k + 1] - times[k])
        step = t - times[k]
        return area[k] + step * (values[k] + 0.5 * slope * step)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        times, values = self._knots(t_stop)
        points = [(delay + t, volts_per_unit * v) for t, v in zip(times, values, strict=True)]
        if delay > 0.0:
            points.insert(0, (0.0, points[0][1]))
        return ("pwl(" + " ".join(f"{float(t)!r} {float(v)!r}" for t, v in points) + ")",)


class Triangular(_PiecewiseLinear):
    """A triangle in phase with the sine: it starts at the bias and rises."""

    name = "triangular"

    def _corners(self):
        low, high, quarter = self.bias - self.amplitude, self.bias + self.amplitude, 0.25 * self.period
        return ((0.0, self.bias), (quarter, high), (3.0 * quarter, low), (self.period, self.bias))


@dataclass(frozen=True, kw_only=True)
class Rectangular(_PiecewiseLinear):
    """bias + A sign(sin wt) with finite edges that are centred at T/2, T, 3T/2, ...; it is high from t = 0 on."""

    edge: float = 1e-4  # s, duration of the full swing
    name: ClassVar[str] = "rectangular"

    def __post_init__(self):
        super().__post_init__()
        if not 0.0 < self.edge < 0.5 * self.period:
            raise StimulusError(
                f"{self.name}: edge = {self.edge} s; it must lie between 0 and half the period, {0.5 * self.period} s"
            )

    def stretched(self, factor):
        return replace(self, period=self.period * factor, edge=self.edge * factor)

    @property
    def _origin(self):
        return 0.25 * self.period  # the middle of the first high half, so that no edge is cut by t = 0

    def _corners(self):
        low, high = self.bias - self.amplitude, self.bias + self.amplitude
        quarter, half_edge = 0.25 * self.period, 0.5 * self.edge
        return (
            (0.0, high),
            (quarter - half_edge, high),
            (quarter + half_edge, low),
            (3.0 * quarter - half_edge, low),
            (3.0 * quarter + half_edge, high),
            (self.period, high),
        )


STIMULI: dict[str, Stimulus] = {s.name: s for s in (Sine(), Triangular(), Rectangular(), ModulatedSine())}
