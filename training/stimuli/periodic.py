"""A waveform that repeats: amplitude, bias and period, the parameters of the HP memristor experiment's four stimuli."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from training.errors import StimulusError
from training.stimuli.base import Stimulus, check_numbers

PER_PERIOD = 96  # points, 32 in a period of the modulated sine's third harmonic: a peak is seen to half a percent


@dataclass(frozen=True, kw_only=True)
class Periodic(Stimulus):
    """A periodic waveform; the defaults are those of the published experiment."""

    amplitude: float = 0.091  # model units
    bias: float = 0.0485  # model units
    period: float = 0.1  # s

    def __post_init__(self):
        check_numbers(self, "amplitude", "bias")
        check_numbers(self, "period")
        if not (math.isfinite(self.period) and self.period > 0):
            raise StimulusError(f"{self.name}: period = {self.period} s; it must be finite and above 0 s")

    def resolution(self, t_stop):
        return self.period / PER_PERIOD

    def stretched(self, factor):
        return replace(self, period=self.period * factor)

    @property
    def _omega(self) -> float:
        return 2.0 * math.pi / self.period


def sin_source(offset: float, amplitude: float, frequency: float, delay: float) -> str:
    """SPICE text of a sine, ngspice manual, section "Sinusoidal" of independent sources; [V], [V], [Hz], [s]."""
    return f"sin({float(offset)!r} {float(amplitude)!r} {float(frequency)!r} {float(delay)!r})"
