"""A waveform through a few corners, held before the first and after the last."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from training.stimuli.base import Stimulus
from training.stimuli.corners import bends, corners_integral, delayed_points, pwl_source


class Knotted(Stimulus):
    """A piecewise linear waveform; its corners are all that a kind of it has to give."""

    @abstractmethod
    def _knots(self, t_stop: float) -> tuple[np.ndarray, np.ndarray]:
        """Times [s], ascending, and values of the corners that there are up to ``t_stop`` [s] at least; two or more."""

    def _value(self, t):
        return np.interp(t, *self._knots(float(np.max(t, initial=0.0))))

    def breakpoints(self, t_stop):
        return bends(*self._knots(t_stop), t_stop)

    def integral(self, t):
        t = np.asarray(t, dtype=np.float64)
        return corners_integral(*self._knots(float(t.max())), t)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        times, values = self._knots(t_stop)
        first, last = np.searchsorted(times, 0.0, side="right"), np.searchsorted(times, t_stop) + 1
        at = np.concatenate([[0.0], times[first:last]])
        if len(at) == 1:  # it has come to rest before 0 s
            at = np.array([0.0, t_stop])
        return (pwl_source(delayed_points(at, np.interp(at, times, values), volts_per_unit, delay)),)
