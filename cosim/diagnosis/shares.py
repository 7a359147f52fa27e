"""Each imperfection's share of a run's error, up to the valid horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cosim.diagnosis.course import Course
from cosim.diagnosis.sources import BoardView, errors, made


@dataclass(frozen=True, kw_only=True)
class Share:
    """One imperfection."""

    name: str  # of cosim.diagnosis.sources.SOURCES or STATIC_PARTS
    alone: float  # largest error of any state that it would lead to by itself, part of full scale
    share: float  # part of the measured error that it accounts for; below 0: it works against the others


@dataclass(frozen=True, kw_only=True)
class Shares:
    """A run's error, told apart. The shares and what is left add up to 1."""

    window: float  # model s, up to which the errors are looked at
    sources: tuple[Share, ...]
    static: tuple[Share, ...]  # the same of the static source
    measured: float  # largest error of any state in the window, part of full scale
    predicted: float  # the same that the sources give together, to first order
    left: float  # part of the measured error that they do not account for
    lag: float  # s, circuit time, by which the derivatives come late, what a lead capacitor takes out already left out
    propagated: float  # part of the error at the window's end that the system itself made of the board's; at least

    @property
    def largest(self) -> Share:
        """The source that by itself would lead to the largest error."""
        return max(self.sources, key=lambda share: share.alone)


def shares(course: Course, board: BoardView, window: int) -> Shares:
    """Split a run's error.

    Args:
        window: points of the course that are looked at, up to the valid horizon or all.
    """
    parts = board.parts()
    measured = course.error[:window]
    sources = errors(course, parts)
    total = sum(sources.values())
    reached, mistakes = float(np.linalg.norm(total[window - 1])), float(made(course, parts)[window - 1])
    told = tuple(_share(name, error[:window], measured) for name, error in sources.items())
    return Shares(
        window=float(course.times[window - 1]), sources=told,
        static=tuple(_share(name, error[:window], measured) for name, error in errors(course, board.static_parts()).items()),
        measured=float(np.abs(measured).max()), predicted=float(np.abs(total[:window]).max()),
        left=1 - sum(share.share for share in told), lag=_lag(course, parts, window),
        propagated=max(0.0, 1 - mistakes / reached) if reached > 0 else 0.0)


def _share(name: str, error: np.ndarray, measured: np.ndarray) -> Share:
    power = float(np.sum(measured**2))
    return Share(name=name, alone=float(np.abs(error).max()), share=float(np.sum(error * measured)) / power if power else 0.0)


def _lag(course: Course, parts: Mapping, window: int) -> float:
    """Least squares of the lag's residual = -lag * d/dt of the derivative."""
    right = course.network.derivative(course.inputs, course.reference)
    moves = (np.gradient(right, course.times, axis=0) / course.full_scale)[:window]
    power = float(np.sum(moves**2))
    late = -float(np.sum(parts["lag"].slope[:window] / course.full_scale * moves)) / power if power else 0.0
    return late * course.scales.time
