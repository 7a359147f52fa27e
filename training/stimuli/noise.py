"""Band-limited noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import check_numbers, kind
from training.stimuli.knots import Knotted
from training.stimuli.sampled import Sampled

PER_CYCLE = 8  # samples in a period of the bandwidth; images of the band start at 7 times it, 33 dB below it
EDGE = 0.05  # of the bandwidth: the density is flat up to that much below it, and falls around it
STOP_BAND = 60.0  # dB, by which it is attenuated above


@kind("noise")
@dataclass(frozen=True, kw_only=True)
class Noise(Knotted):
    """Gaussian noise of a flat density up to a bandwidth, the same for the same seed.

    numpy draws white numbers, a filter limits their band, and straight lines join the samples, eight in a period of the
    bandwidth. A case stores the samples, so that torch and every deck see the same waveform, whatever a solver's steps are.
    A longer run goes on where a shorter one ends.
    """

    density: float  # model units^2 / Hz, one-sided, of the power
    bandwidth: float  # Hz, where the density is a quarter of that
    seed: int
    bias: float = 0.0  # model units

    def __post_init__(self):
        check_numbers(self, "density", "bandwidth", "seed", "bias")
        if self.density < 0.0 or self.bandwidth <= 0.0 or self.seed < 0 or int(self.seed) != self.seed:
            raise StimulusError(f"{self.name}: density = {self.density} per Hz, bandwidth = {self.bandwidth} Hz, seed = "
                                f"{self.seed}; the density is 0 or more, the bandwidth above 0 Hz, the seed a whole number of "
                                "0 or more")

    @classmethod
    def of_rms(cls, rms: float, *, bandwidth: float, seed: int, bias: float = 0.0) -> Noise:
        """Noise of a root mean square [model units] around its bias."""
        kernel = _kernel()
        # Mean square of a straight line between two samples: two thirds of theirs, and a third of their product.
        power = PER_CYCLE / 2.0 * (2.0 * kernel @ kernel + kernel[1:] @ kernel[:-1]) / 3.0  # of a density and bandwidth of 1
        return cls(density=rms**2 / (bandwidth * power), bandwidth=bandwidth, seed=seed, bias=bias)

    def stretched(self, factor):
        return replace(self, density=self.density * factor, bandwidth=self.bandwidth / factor)

    def _knots(self, t_stop):
        interval = 1.0 / (PER_CYCLE * self.bandwidth)
        count = max(2, int(np.ceil(t_stop / interval)) + 1)
        kernel = _kernel()
        white = np.random.default_rng(int(self.seed)).standard_normal(count + len(kernel) - 1)
        # White numbers of variance 1 at this interval have a density of 2 intervals.
        gain = np.sqrt(self.density / (2.0 * interval))
        return interval * np.arange(count), self.bias + gain * np.convolve(white, kernel, mode="valid")

    def _resolved(self, t_stop):
        times, values = self._knots(t_stop)
        return Sampled(times=times, values=values, source=f"noise, seed {self.seed}")


def _kernel() -> np.ndarray:
    """Low-pass filter at PER_CYCLE samples a period, which lifts the band by what straight lines between samples take."""
    from scipy.signal import firwin2, kaiserord  # takes as long to import as all the rest

    taps, beta = kaiserord(STOP_BAND, 2.0 * EDGE * 2.0 / PER_CYCLE)
    band = np.linspace(0.0, 1.0 - EDGE, 200)  # of the bandwidth
    lift = 1.0 / np.sinc(band / PER_CYCLE) ** 2
    nodes, gains = np.concatenate([band, [1.0 + EDGE, 0.5 * PER_CYCLE]]), np.concatenate([lift, [0.0, 0.0]])
    return firwin2(taps | 1, nodes, gains, fs=PER_CYCLE, window=("kaiser", beta))
