"""A stimulus in another time."""

from dataclasses import dataclass

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import Stimulus, kind


@kind("stretched")
@dataclass(frozen=True, kw_only=True)
class Stretched(Stimulus):
    """A stimulus that cannot be stretched by itself, such as a function: s(t / factor)."""

    stimulus: Stimulus
    factor: float  # by which every time is multiplied

    def __post_init__(self):
        if not (np.isfinite(self.factor) and self.factor > 0.0):
            raise StimulusError(f"{self.stimulus.name}: stretched by {self.factor}; give a finite factor above 0")

    def _value(self, t):
        return self.stimulus(t / self.factor)

    def breakpoints(self, t_stop):
        return self.stimulus.breakpoints(t_stop / self.factor) * self.factor

    def resolution(self, t_stop):
        return self.stimulus.resolution(t_stop / self.factor) * self.factor

    def stretched(self, factor):
        return Stretched(stimulus=self.stimulus, factor=self.factor * factor)

    def _resolved(self, t_stop):
        inner = self.stimulus.resolved(t_stop / self.factor)
        return inner.stretched(self.factor)
