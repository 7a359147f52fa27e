"""A stimulus times a number."""

from dataclasses import dataclass, replace

from training.stimuli.base import Stimulus, check_numbers, kind


@kind("scaled")
@dataclass(frozen=True, kw_only=True)
class Scaled(Stimulus):
    """factor * s(t), exact: the same sources at another voltage."""

    factor: float
    stimulus: Stimulus

    def __post_init__(self):
        check_numbers(self, "factor")

    def _value(self, t):
        return self.factor * self.stimulus(t)

    def integral(self, t):
        return self.factor * self.stimulus.integral(t)

    def breakpoints(self, t_stop):
        return self.stimulus.breakpoints(t_stop)

    def resolution(self, t_stop):
        return self.stimulus.resolution(t_stop)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return self.stimulus.spice_sources(self.factor * volts_per_unit, delay, t_stop)

    def stretched(self, factor):
        return replace(self, stimulus=self.stimulus.stretched(factor))

    def _resolved(self, t_stop):
        return replace(self, stimulus=self.stimulus.resolved(t_stop))
