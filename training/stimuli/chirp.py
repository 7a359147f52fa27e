"""A sine whose frequency moves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fresnel, sici

from training.errors import StimulusError
from training.stimuli.base import Stimulus, check_numbers, kind
from training.stimuli.function import ERROR, check_error, sampled
from training.stimuli.periodic import PER_PERIOD

SWEEPS = ("linear", "logarithmic")


@kind("chirp")
@dataclass(frozen=True, kw_only=True)
class Chirp(Stimulus):
    """bias + A sin(phase); the frequency goes from ``start`` to ``stop`` in ``sweep`` seconds and stays there.

    SPICE has no source for it, so that a case samples it to a stated error.
    """

    amplitude: float  # model units
    bias: float = 0.0  # model units
    start: float  # Hz, at 0 s
    stop: float  # Hz, at ``sweep`` and after it
    sweep: float  # s
    law: str = "linear"  # of the frequency over time: "linear" or "logarithmic", which takes the same time for every octave
    error: float = ERROR  # largest deviation that is allowed, as a part of the range

    def __post_init__(self):
        check_numbers(self, "amplitude", "bias", "start", "stop", "sweep", "error")
        check_error(self)
        if self.law not in SWEEPS:
            raise StimulusError(f"{self.name}: law {self.law!r}; it is one of {', '.join(SWEEPS)}")
        if self.sweep <= 0.0 or min(self.start, self.stop) < 0.0:
            raise StimulusError(f"{self.name}: start = {self.start} Hz, stop = {self.stop} Hz, sweep = {self.sweep} s; "
                                "frequencies are 0 Hz or more, and the sweep takes a time above 0 s")
        if self.law == "logarithmic" and min(self.start, self.stop) <= 0.0:
            raise StimulusError(f"{self.name}: start = {self.start} Hz, stop = {self.stop} Hz; a logarithmic sweep has no end "
                                "at 0 Hz, give frequencies above it")

    def _value(self, t):
        return self.bias + self.amplitude * np.sin(self._phase(t))

    def resolution(self, t_stop):
        fastest = max(self.start, self.stop)
        return 1.0 / (PER_PERIOD * fastest) if fastest > 0.0 else math.inf

    def integral(self, t):
        t = np.asarray(t, dtype=np.float64)
        swept, since = np.minimum(t, self.sweep), np.maximum(t - self.sweep, 0.0)
        total = self._swept(swept)
        end, omega = self._phase(self.sweep), 2.0 * math.pi * self.stop
        after = (np.cos(end) - np.cos(end + omega * since)) / omega if omega > 0.0 else math.sin(end) * since
        return self.bias * t + self.amplitude * (total + after)

    def stretched(self, factor):
        return replace(self, start=self.start / factor, stop=self.stop / factor, sweep=self.sweep * factor)

    def _resolved(self, t_stop):
        return sampled(self, self.error, t_stop)

    @property
    def _octave(self) -> float:
        """Rate of the logarithmic frequency [1/s]; 0 for a linear sweep and where the frequency stays."""
        return math.log(self.stop / self.start) / self.sweep if self.law == "logarithmic" else 0.0

    def _phase(self, t: float | np.ndarray) -> float | np.ndarray:
        """[rad]"""
        swept, since = np.minimum(t, self.sweep), np.maximum(t - self.sweep, 0.0)
        if self._octave:
            cycles = self.start * np.expm1(self._octave * swept) / self._octave
        else:
            cycles = self.start * swept + 0.5 * (self.stop - self.start) / self.sweep * swept**2
        return 2.0 * math.pi * (cycles + self.stop * since)

    def _swept(self, t: np.ndarray) -> np.ndarray:
        """Integral of sin(phase) from 0 to t <= sweep."""
        omega = 2.0 * math.pi * self.start
        if self._octave:  # phase = c (w - 1), w = exp(octave t): cosine and sine integrals of c w
            c = omega / self._octave
            (si_0, ci_0), (si, ci) = sici(abs(c)), sici(abs(c) * np.exp(self._octave * t))
            return (math.cos(c) * np.sign(c) * (si - si_0) - math.sin(c) * (ci - ci_0)) / self._octave
        rate = 2.0 * math.pi * (self.stop - self.start) / self.sweep  # rad/s^2
        if rate == 0.0:
            return (1.0 - np.cos(omega * t)) / omega if omega > 0.0 else 0.0 * t
        # phase = omega t + rate t^2 / 2 is a square of what moves linearly, less what it is at 0: Fresnel integrals
        sign, scale = math.copysign(1.0, rate), math.sqrt(math.pi / abs(rate))
        shift, rest = omega / rate, 0.5 * omega**2 / abs(rate)
        (s_0, c_0), (s, c) = fresnel(shift / scale), fresnel((t + shift) / scale)
        return scale * (sign * (s - s_0) * math.cos(rest) - sign * (c - c_0) * math.sin(rest))
