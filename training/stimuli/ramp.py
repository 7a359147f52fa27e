"""A straight line, from one time to another or without end."""

from dataclasses import dataclass, replace

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import check_numbers, kind
from training.stimuli.knots import Knotted


@kind("ramp")
@dataclass(frozen=True, kw_only=True)
class Ramp(Knotted):
    """``initial`` until ``begin``, then a straight line of ``slope`` until ``end``; it is held after that.

    ``Ramp(slope=1.0)`` is the time itself, for a network that takes time as an input.
    """

    slope: float  # model units / s
    initial: float = 0.0  # model units
    begin: float = 0.0  # s
    end: float | None = None  # s; None: it never ends

    def __post_init__(self):
        check_numbers(self, "slope", "initial", "begin", *(() if self.end is None else ("end",)))
        if self.begin < 0.0 or (self.end is not None and self.end <= self.begin):
            raise StimulusError(f"{self.name}: begin = {self.begin} s, end = {self.end} s; a ramp begins at 0 s or later and "
                                "ends after that, or never (end=None)")

    def _knots(self, t_stop):
        end = max(2.0 * self.begin, t_stop) + 1.0 if self.end is None else self.end
        return np.array([self.begin, end]), self.initial + self.slope * np.array([0.0, end - self.begin])

    def _value(self, t):
        until = t if self.end is None else np.minimum(t, self.end)
        return self.initial + self.slope * np.maximum(until - self.begin, 0.0)

    def stretched(self, factor):
        return replace(self, slope=self.slope / factor, begin=self.begin * factor,
                       end=None if self.end is None else self.end * factor)
