"""A triangle."""

from training.stimuli.base import kind
from training.stimuli.cyclic import Cyclic


@kind("triangular")
class Triangular(Cyclic):
    """A triangle in phase with the sine: it starts at the bias and rises."""

    def _corners(self):
        low, high, quarter = self.bias - self.amplitude, self.bias + self.amplitude, 0.25 * self.period
        return ((0.0, self.bias), (quarter, high), (3.0 * quarter, low), (self.period, self.bias))
