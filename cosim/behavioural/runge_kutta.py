"""The board's own fixed-step loop: fourth-order Runge-Kutta, Kutta's 3/8 rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cosim.behavioural.arrays import Array

STAGES = (0.0, 1 / 3, 2 / 3, 1.0)  # of a step, at which the slope is taken


def stage_times(grid: np.ndarray) -> np.ndarray:
    """(steps, 4) the times at which :func:`runge_kutta` takes slopes, in the unit of the grid's ends (steps + 1,)."""
    times = grid[:-1, None] + np.diff(grid)[:, None] * np.array(STAGES)
    times[:, -1] = grid[1:]
    return times


def runge_kutta(slope: Callable[[int, int, Array], Array], s: Array, steps: np.ndarray) -> tuple[list[Array], list[Array]]:
    """Integrate ds/dt.

    Args:
        slope: ds/dt of (number of the step, number of the stage, s); stages are those of :func:`stage_times`.
        s: at the beginning.
        steps: (n,) their lengths.
    Returns:
        s at the n + 1 ends, and its slopes there; the last of these is that of the last stage.
    """
    values, slopes = [s], []
    for number, h in enumerate(steps.tolist()):
        a = slope(number, 0, s)
        b = slope(number, 1, s + (h / 3) * a)
        c = slope(number, 2, s + h * (b - a * (1 / 3)))
        d = slope(number, 3, s + h * (a - b + c))
        s = s + (h / 8) * (a + 3 * (b + c) + d)
        values.append(s)
        slopes.append(a)
    return values, [*slopes, d]
