"""Fewer corners for the same line."""

from __future__ import annotations

import numpy as np


def thin(times: np.ndarray, values: np.ndarray, tolerance: float) -> np.ndarray:
    """Which samples to keep so that straight lines between them pass every other one within a tolerance; both ends are kept.

    From each kept sample the line goes to the farthest one that it can reach: the slopes that pass all samples between form a
    cone, which narrows as it goes ("swinging door", Bristol, "Swinging door trending", ISA 1990).

    Args:
        times: (n,) [s], ascending; values: (n,).
        tolerance: largest deviation, in the unit of the values.
    Returns:
        (m,) indices, ascending.
    """
    kept, anchor = [0], 0
    t, v = times.tolist(), values.tolist()
    last = len(t) - 1
    while anchor < last:
        low, high, reached, k = -np.inf, np.inf, anchor + 1, anchor + 1
        while k <= last and low <= high:
            step, rise = t[k] - t[anchor], v[k] - v[anchor]
            if low <= rise / step <= high:
                reached = k
            low, high = max(low, (rise - tolerance) / step), min(high, (rise + tolerance) / step)
            k += 1
        kept.append(reached)
        anchor = reached
    return np.array(kept)
