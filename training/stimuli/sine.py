"""A sine."""

import numpy as np

from training.stimuli.base import kind
from training.stimuli.periodic import Periodic, sin_source


@kind("sine")
class Sine(Periodic):
    """bias + A sin(wt)."""

    def _value(self, t):
        return self.bias + self.amplitude * np.sin(self._omega * t)

    def integral(self, t):
        return self.bias * t + self.amplitude / self._omega * (1.0 - np.cos(self._omega * t))

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return (sin_source(self.bias * volts_per_unit, self.amplitude * volts_per_unit, 1.0 / self.period, delay),)
