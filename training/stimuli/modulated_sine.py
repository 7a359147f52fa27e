"""A sine times a cosine of twice its frequency."""

import numpy as np

from training.stimuli.base import kind
from training.stimuli.periodic import Periodic, sin_source


@kind("modulated_sine")
class ModulatedSine(Periodic):
    """bias - A sin(wt) cos(2wt) = bias + A/2 sin(wt) - A/2 sin(3wt), an exact identity, hence two SIN sources."""

    def _value(self, t):
        return self.bias - self.amplitude * np.sin(self._omega * t) * np.cos(2.0 * self._omega * t)

    def integral(self, t):
        w, half = self._omega, 0.5 * self.amplitude
        return self.bias * t + half / w * (1.0 - np.cos(w * t)) - half / (3.0 * w) * (1.0 - np.cos(3.0 * w * t))

    def spice_sources(self, volts_per_unit, delay, t_stop):
        half = 0.5 * self.amplitude * volts_per_unit
        return (
            sin_source(self.bias * volts_per_unit, half, 1.0 / self.period, delay),
            sin_source(0.0, -half, 3.0 / self.period, delay),
        )
