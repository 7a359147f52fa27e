"""A smooth function of one number as a piecewise linear one: where its knots lie, and how far it is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cosim.errors import UnsupportedModelError

GRID = 257  # points at which a function is looked at
STRAIGHT = 1e-9  # of a function's largest value on its range: what deviates less from a line is one


@dataclass(frozen=True, kw_only=True, eq=False)
class PiecewiseLinear:
    """constant + sum over k of slope_k relu(x - knot_k); before its first knot it is constant, behind its last it goes on."""

    constant: float
    knots: np.ndarray  # (n,) ascending; the first is the low end of the range
    slopes: np.ndarray  # (n,) change of slope at each knot

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Value at x, same shape."""
        x = np.asarray(x, dtype=float)
        return self.constant + np.maximum(x[..., None] - self.knots, 0.0) @ self.slopes


def piecewise_linear(x: np.ndarray, y: np.ndarray, tolerance: float) -> PiecewiseLinear:
    """Piecewise linear function with as few knots as a pass from left to right needs.

    Every segment reaches as far as its chord stays within twice the tolerance of the function, so that segments are short
    where the function is curved and a kink gets a knot. The values at the knots are then those of least squares, which
    halves the error.

    Args:
        x: (m,) ascending; y: (m,) the function there, finite.
        tolerance: largest error aimed at, in units of y.
    Raises:
        UnsupportedModelError: the function is not finite on its range.
    """
    if not np.isfinite(y).all():
        raise UnsupportedModelError(f"it is {y[~np.isfinite(y)][0]} at {x[~np.isfinite(y)][0]:.4g}, in the region that the "
                                    "runs visit")
    scale = float(np.abs(y).max(initial=0.0))
    if np.ptp(y) <= STRAIGHT * scale:
        return PiecewiseLinear(constant=float(y.mean()), knots=np.empty(0), slopes=np.empty(0))
    places, limit = [0], 2 * max(tolerance, STRAIGHT * scale)
    while places[-1] < len(x) - 1:
        places.append(_furthest(x, y, places[-1], limit))
    knots = x[places[:-1]]
    hats = np.column_stack([np.ones_like(x), np.maximum(x[:, None] - knots, 0.0)])
    constant, *slopes = np.linalg.lstsq(hats, y, rcond=None)[0]
    return PiecewiseLinear(constant=float(constant), knots=knots, slopes=np.array(slopes))


def _furthest(x: np.ndarray, y: np.ndarray, start: int, limit: float) -> int:
    """Last point whose chord from the start stays within the limit, by bisection."""
    good, bad = start + 1, len(x)
    while bad - good > 1:
        middle = (good + bad) // 2
        if start + 1 == good and bad == len(x):
            middle = len(x) - 1  # a straight function is one segment
        part = slice(start, middle + 1)
        chord = y[start] + (y[middle] - y[start]) * (x[part] - x[start]) / (x[middle] - x[start])
        good, bad = (middle, bad) if np.abs(y[part] - chord).max() <= limit else (good, middle)
    return good
