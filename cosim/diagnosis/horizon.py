"""Valid horizon: how long the board stays within a part of full scale of torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LIMIT = 0.02  # of full scale


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """When a state first passes the limit."""

    time: float  # model s; the end of the run where the limit is never passed
    passed: bool  # False: the run ended before, so that the horizon is longer


def horizon(times: np.ndarray, error: np.ndarray, limit: float = LIMIT) -> Horizon:
    """First time at which |error| passes the limit, between two points by a straight line.

    Args:
        times: (m,) model s, ascending; error: (m,) parts of full scale. One that is not a number counts as passed.
    """
    size = np.abs(error)
    past = ~(size <= limit)
    if not past.any():
        return Horizon(time=float(times[-1]), passed=False)
    k = int(np.argmax(past))
    if k == 0 or not np.isfinite(size[k]):
        return Horizon(time=float(times[k]), passed=True)
    part = (limit - size[k - 1]) / (size[k] - size[k - 1])
    return Horizon(time=float(times[k - 1] + part * (times[k] - times[k - 1])), passed=True)
