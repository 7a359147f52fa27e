"""A step with a finite rise."""

from dataclasses import dataclass, replace

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import check_numbers, kind
from training.stimuli.knots import Knotted


@kind("step")
@dataclass(frozen=True, kw_only=True)
class Step(Knotted):
    """``before`` until ``time``, then in a straight line to ``after``, where it is ``rise`` later; it stays there."""

    before: float = 0.0  # model units
    after: float = 1.0  # model units
    time: float  # s, when it starts to move
    rise: float  # s, from ``before`` to ``after``

    def __post_init__(self):
        check_numbers(self, "before", "after", "time", "rise")
        if self.time < 0.0 or self.rise <= 0.0:
            raise StimulusError(f"{self.name}: time = {self.time} s, rise = {self.rise} s; a step starts at 0 s or later and "
                                "takes a time above 0 s, as a circuit has no infinite slope")

    def _knots(self, t_stop):
        return np.array([self.time, self.time + self.rise]), np.array([self.before, self.after], dtype=float)

    def stretched(self, factor):
        return replace(self, time=self.time * factor, rise=self.rise * factor)
