"""Coloured noise of a device: what it is, its draws, and what a spectrum of it must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from circuits.errors import CircuitError


@dataclass(frozen=True, kw_only=True)
class ColouredNoise:
    """An Ornstein-Uhlenbeck process that is drawn on a time grid of its own and is straight between the grid's points.

    The grid belongs to the noise. A solver or a recording with another step therefore sees the same process, with the same
    spectrum, and with the same draws where the seed is the same. A device multiplies the
    process inside, by a law of its signal.
    """

    density: float  # output units per sqrt(Hz), one-sided, far below the corner and at a signal of 0
    correlation_time: float  # s, the autocorrelation falls by e; the density's corner is at 1 / (2 pi time)
    law: str  # how the deviation depends on the signal, in words
    points: int = 8  # of the grid, per correlation time

    def __post_init__(self) -> None:
        for name in ("density", "correlation_time"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise CircuitError(f"noise: {name} = {value}; give a positive, finite number, or leave the noise out")
        if self.points < 2:
            raise CircuitError(f"noise: {self.points} points per correlation time; give 2 or more")

    @classmethod
    def of(cls, deviation: float, correlation_time: float, law: str, points: int = 8) -> ColouredNoise:
        """Noise of a standard deviation [output units] at a signal of 0."""
        density = 2 * deviation * math.sqrt(correlation_time)
        return cls(density=density, correlation_time=correlation_time, law=law, points=points)

    @property
    def grid(self) -> float:
        """Time between two points of the grid [s]."""
        return self.correlation_time / self.points

    @property
    def deviation(self) -> float:
        """Standard deviation at the grid's points [output units] at a signal of 0: density**2 = 4 * deviation**2 * time."""
        return self.density / (2 * math.sqrt(self.correlation_time))

    def samples(self, duration: float) -> int:
        """Points of the grid that cover a run of ``duration`` [s], both ends included."""
        return math.ceil(duration / self.grid * (1 - 1e-9)) + 1

    def draw(self, duration: float, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """Draws of unit deviation, exact at the grid's points; a longer run begins with the draws of a shorter one.

        Args:
            generators: one per run.
        Returns:
            (runs, points), dimensionless.
        """
        white = np.stack([generator.standard_normal(self.samples(duration)) for generator in generators])
        fade = math.exp(-1 / self.points)
        white[:, 1:] *= math.sqrt(1 - fade**2)  # the first point is drawn from the stationary distribution
        return lfilter([1.0], [1.0, -fade], white, axis=1)

    def spectrum(self, frequency: np.ndarray) -> np.ndarray:
        """One-sided power density of the process of unit deviation [1/Hz], of its draws joined by straight lines.

        Up to the corner it is that of the Ornstein-Uhlenbeck process, 4 T / (1 + (2 pi f T)**2), within 0.2 % at 8 points; the
        straight lines take 1 % off it at half the inverse of the correlation time, and 5 % at the inverse.
        """
        turn = np.asarray(frequency, dtype=float) * self.grid
        fade = math.exp(-1 / self.points)
        discrete = (1 - fade**2) / (1 - 2 * fade * np.cos(2 * np.pi * turn) + fade**2)
        return 2 * self.grid * discrete * np.sinc(turn) ** 4

    def facts(self, units: str) -> dict[str, str]:
        """What is stated with every recording."""
        return {"noise": f"{self.density:.4g} {units}/sqrt(Hz) at a signal of 0, correlation time "
                         f"{self.correlation_time:.4g} s, {self.law}; drawn every {self.grid:.4g} s"}


def filtered_deviation(deviation: float, correlation_time: float, time_constant: float) -> float:
    """Standard deviation behind a first-order low-pass of unit gain: deviation * sqrt(T / (T + tau))."""
    return deviation * math.sqrt(correlation_time / (correlation_time + time_constant))


def filtered_autocorrelation(lag: np.ndarray, correlation_time: float, time_constant: float) -> np.ndarray:
    """Autocorrelation [1] behind a first-order low-pass: (tau e**(-t/tau) - T e**(-t/T)) / (tau - T), tau other than T."""
    lag = np.abs(lag)
    slow, fast = np.exp(-lag / time_constant), np.exp(-lag / correlation_time)
    return (time_constant * slow - correlation_time * fast) / (time_constant - correlation_time)
