"""A cycle of straight lines that repeats."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.stimuli.corners import bends, corners_integral, delayed_points, pwl_source
from training.stimuli.periodic import Periodic


@dataclass(frozen=True, kw_only=True)
class Cyclic(Periodic):
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
        return bends(*self._knots(t_stop), t_stop)

    def integral(self, t):
        t = np.asarray(t, dtype=np.float64)
        return corners_integral(*self._knots(float(t.max()) + self.period), t)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return (pwl_source(delayed_points(*self._knots(t_stop), volts_per_unit, delay)),)
