"""A train of pulses, as SPICE's own source of that name."""

from dataclasses import dataclass, replace

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import Stimulus, check_numbers, kind
from training.stimuli.corners import corners_integral

CORNERS = 4  # of a pulse
ROUNDING = 1e-12  # relative, of a time


@kind("pulse_train")
@dataclass(frozen=True, kw_only=True)
class PulseTrain(Stimulus):
    """``low`` until ``delay``, then pulses: up in ``rise``, ``high`` for ``width``, down in ``fall``, again every ``period``.

    ngspice manual, section "Pulse" of independent sources.
    """

    low: float = 0.0  # model units
    high: float = 1.0  # model units
    delay: float = 0.0  # s, when the first pulse starts to rise
    rise: float  # s
    fall: float  # s
    width: float  # s, at ``high``; the edges come on top
    period: float  # s

    def __post_init__(self):
        check_numbers(self, "low", "high", "delay", "rise", "fall", "width", "period")
        if self.delay < 0.0 or min(self.width, self.rise, self.fall) <= 0.0:
            raise StimulusError(f"{self.name}: delay = {self.delay} s, rise = {self.rise} s, fall = {self.fall} s, width = "
                                f"{self.width} s; the delay is at least 0 s and the others are above 0 s: SPICE takes a 0 for "
                                "a number of its own choice")
        if self.rise + self.width + self.fall > self.period * (1.0 + ROUNDING):
            raise StimulusError(f"{self.name}: rise, width and fall last {self.rise + self.width + self.fall} s, the period is "
                                f"{self.period} s; make the period longer or the pulse shorter")

    @property
    def _corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Times [s] within a period and values of the corners."""
        top, down = self.rise + self.width, self.rise + self.width + self.fall
        return np.array([0.0, self.rise, top, down]), np.array([self.low, self.high, self.high, self.low], dtype=float)

    def _value(self, t):
        phase = np.maximum(t - self.delay, 0.0) % self.period
        return np.interp(phase, *self._corners)

    def integral(self, t):
        since = np.maximum(np.asarray(t, dtype=np.float64) - self.delay, 0.0)
        pulses, phase = np.divmod(since, self.period)
        times, values = self._corners
        pulse = (self.high - self.low) * (self.width + 0.5 * (self.rise + self.fall))
        return self.low * np.asarray(t, dtype=np.float64) + pulses * pulse + corners_integral(times, values - self.low, phase)

    def breakpoints(self, t_stop):
        if self.high == self.low:
            return np.empty(0)
        pulses = np.arange(max(0.0, np.ceil((t_stop - self.delay) / self.period)))
        times = (self.delay + self.period * pulses[:, None] + self._corners[0]).ravel()
        times = times[np.diff(times, append=np.inf) > ROUNDING * t_stop]  # a pulse may end where the next begins
        return times[(times > 0.0) & (times < t_stop)]

    def resolution(self, t_stop):
        return self.period / CORNERS  # its peaks are at its corners; this bounds their number

    def spice_sources(self, volts_per_unit, delay, t_stop):
        numbers = (self.low * volts_per_unit, self.high * volts_per_unit, delay + self.delay, self.rise, self.fall, self.width,
                   self.period)
        return ("pulse(" + " ".join(f"{float(number)!r}" for number in numbers) + ")",)

    def stretched(self, factor):
        times = {name: getattr(self, name) * factor for name in ("delay", "rise", "fall", "width", "period")}
        return replace(self, **times)
