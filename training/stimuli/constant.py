"""A constant."""

from dataclasses import dataclass

import numpy as np

from training.stimuli.base import Stimulus, check_numbers, kind


@kind("constant")
@dataclass(frozen=True, kw_only=True)
class Constant(Stimulus):
    """The same value at all times."""

    value: float  # model units

    def __post_init__(self):
        check_numbers(self, "value")

    def _value(self, t):
        return self.value + 0.0 * t

    def integral(self, t):
        return self.value * np.asarray(t, dtype=np.float64)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return (f"dc {float(self.value * volts_per_unit)!r}",)

    def stretched(self, factor):
        return self
