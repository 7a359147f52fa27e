"""A square wave with finite edges."""

from dataclasses import dataclass, replace

from training.errors import StimulusError
from training.stimuli.base import kind
from training.stimuli.cyclic import Cyclic


@kind("rectangular")
@dataclass(frozen=True, kw_only=True)
class Rectangular(Cyclic):
    """bias + A sign(sin wt) with finite edges that are centred at T/2, T, 3T/2, ...; it is high from t = 0 on."""

    edge: float = 1e-4  # s, duration of the full swing

    def __post_init__(self):
        super().__post_init__()
        if not 0.0 < self.edge < 0.5 * self.period:
            raise StimulusError(
                f"{self.name}: edge = {self.edge} s; it must lie between 0 and half the period, {0.5 * self.period} s"
            )

    def stretched(self, factor):
        return replace(self, period=self.period * factor, edge=self.edge * factor)

    @property
    def _origin(self):
        return 0.25 * self.period  # the middle of the first high half, so that no edge is cut by t = 0

    def _corners(self):
        low, high = self.bias - self.amplitude, self.bias + self.amplitude
        quarter, half_edge = 0.25 * self.period, 0.5 * self.edge
        return (
            (0.0, high),
            (quarter - half_edge, high),
            (quarter + half_edge, low),
            (3.0 * quarter - half_edge, low),
            (3.0 * quarter + half_edge, high),
            (self.period, high),
        )
