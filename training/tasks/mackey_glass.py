"""Forecasting the Mackey-Glass series some steps ahead.

    dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t)

Mackey and Glass, Science 197, 287 (1977). The series is sampled every 2 time units. 17 is no multiple of 2, so it is integrated
by steps of 0.1 and thinned afterwards; a step of 2 would hold another delay than 17.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.errors import TaskError

TAU, FINE, SAMPLE = 17.0, 0.1, 2.0  # time units
WASHED = 1000  # samples before the first one that is used


def mackey_glass(samples: int, *, start: float = 1.2, fine: float = FINE) -> np.ndarray:
    """The series (samples,), raw units, sampled every 2 time units, after it has forgotten its constant past `start`.

    Args:
        fine: step of the classical Runge-Kutta method; the delayed value half a step on is a cubic of its neighbours.
    Raises:
        TaskError: neither the delay nor the samples are multiples of the step.
    """
    delay, every = round(TAU / fine), round(SAMPLE / fine)
    if abs(delay * fine - TAU) > 1e-9 or abs(every * fine - SAMPLE) > 1e-9:
        raise TaskError(f"a step of {fine:g} divides neither {TAU:g} nor {SAMPLE:g}; take {FINE:g}")
    steps = (WASHED + samples) * every
    x = np.full(delay + steps + 3, start)

    def slope(now: float, before: float) -> float:
        return 0.2 * before / (1.0 + before**10) - 0.1 * now

    values = x.tolist()
    for k in range(delay + 1, delay + 1 + steps):
        now, old, new = values[k], values[k - delay], values[k - delay + 1]
        older = values[k - delay - 1]
        newer = values[k - delay + 2]
        mid = 0.5625 * (old + new) - 0.0625 * (older + newer)
        a = slope(now, old)
        b = slope(now + 0.5 * fine * a, mid)
        c = slope(now + 0.5 * fine * b, mid)
        d = slope(now + fine * c, new)
        values[k + 1] = now + fine * (a + 2.0 * b + 2.0 * c + d) / 6.0
    return np.array(values[delay + 1 + WASHED * every :: every][:samples])


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """A series to train on and one to test on, in units of the first one's standard deviation."""

    ahead: int
    train: tuple[Tensor, Tensor]  # inputs (rows, 1) and targets (rows, 1), normalised
    test: tuple[Tensor, Tensor]
    mean: float  # raw units
    std: float  # raw units; a normalised mean squared error times its square is raw

    @property
    def steps(self) -> int:
        """Rows of the test."""
        return len(self.test[0])


def forecast(ahead: int = 5, *, train: int = 4000, test: int = 2000, gap: int = 200,
             dtype: torch.dtype = torch.float32) -> Forecast:
    """The task: from the series up to step t, its value at t + ahead.

    Args:
        ahead: steps, 1 to 10 in the literature.
        train, test: rows; `gap` rows lie between them.
    Raises:
        TaskError: ahead is below 1.
    """
    if ahead < 1:
        raise TaskError(f"ahead = {ahead}; forecast 1 step or more")
    series = mackey_glass(train + gap + test + ahead)
    mean, std = float(series[:train].mean()), float(series[:train].std())
    z = torch.from_numpy((series - mean) / std)[:, None].to(dtype)
    first = train + gap
    return Forecast(ahead=ahead, train=(z[:train], z[ahead : train + ahead]), mean=mean, std=std,
                    test=(z[first : first + test], z[first + ahead : first + test + ahead]))
