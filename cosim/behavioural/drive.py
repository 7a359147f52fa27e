"""The external inputs as the board sees them, and the times at which they bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cosim.behavioural.signal import Signal
from cosim.compiler.scaling import Scales
from cosim.problem.case import Case

PART = 1e-7  # of the duration: half the time over which a stimulus's slope is taken


@dataclass(frozen=True, kw_only=True)
class Drive:
    """Generators of one case, in volts over circuit seconds since the start of integration."""

    case: Case
    scales: Scales
    dtype: torch.dtype = torch.float64

    @property
    def duration(self) -> float:
        """[s], circuit time."""
        return self.case.duration * self.scales.time

    def __call__(self, t: float | np.ndarray) -> Signal:
        """(times, external inputs) [V], [V/s] at t [s], one time or many; tensors."""
        at, step = np.atleast_1d(t) / self.scales.time, PART * self.case.duration
        before, now, after = (self.case.inputs(x) * np.array(self.scales.inputs) for x in (at - step, at, at + step))
        rate = (after - before) / (2 * step * self.scales.time)
        return Signal(torch.as_tensor(now, dtype=self.dtype), torch.as_tensor(rate, dtype=self.dtype))

    def moves(self, corners: np.ndarray) -> np.ndarray:
        """How far the stimuli move between corners (n,) [s]: (n - 1,) parts of its range, of the one that moves farthest."""
        values = self.case.inputs(np.asarray(corners) / self.scales.time)
        span = np.ptp(values, axis=0)
        return (np.abs(np.diff(values, axis=0)) / np.where(span > 0, span, 1.0)).max(axis=1, initial=0.0)

    def breakpoints(self) -> np.ndarray:
        """Times [s] inside the run at which a stimulus changes its slope."""
        bends = [stimulus.breakpoints(self.case.duration) for stimulus in self.case.stimuli]
        return np.unique(np.concatenate([np.empty(0), *bends])) * self.scales.time
