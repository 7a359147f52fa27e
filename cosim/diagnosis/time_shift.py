"""Phase against amplitude: how much of an error is only a shift in time, and what remains after the best shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

SPAN = 0.1  # of the run: largest delay that is looked for
DRIFT = 0.1  # largest difference of pace that is looked for
COARSE = 41, 21  # delays and paces that are tried before the best is refined
MOST = 400  # points at which the coarse search looks
ALIKE = 0.5  # part of an amplitude error that a shift could pass for, above which the two are not told apart
SMALLEST = 1e-9  # of full scale; an error below it has no kind


@dataclass(frozen=True, kw_only=True)
class TimeShift:
    """The board as torch shifted in time: board(t) = torch(t - delay - drift * t) and what remains."""

    phase: float | None  # part of the error's power that the best shift takes away; None: the two cannot be told apart
    delay: float  # model s, how late the board is at the start; below 0: early
    drift: float  # model s per model s, by how much it runs slow; below 0: fast
    until: float  # model s, end of the time that was looked at

    @property
    def amplitude(self) -> float | None:
        """Part of the error's power that no shift takes away."""
        return None if self.phase is None else 1 - self.phase


def time_shift(times: np.ndarray, expected: np.ndarray, got: np.ndarray) -> TimeShift:
    """The best delay and difference of pace between two waveforms, least squares over the times that both cover.

    Shifting a waveform that only rises or decays cannot be told from making it larger. Where the shapes that a delay and a
    difference of pace make hold more than half of the waveform's own shape, no share is given.

    Args:
        times: (m,) model s, evenly spaced; expected, got: (m,), one unit.
    """
    full_scale, until = float(np.abs(expected).max()), float(times[-1])
    none = TimeShift(phase=None, delay=0.0, drift=0.0, until=until)
    error = got - expected
    if full_scale == 0 or np.abs(error).max() <= SMALLEST * full_scale:
        return none
    if np.ptp(expected) <= SMALLEST * full_scale:
        return TimeShift(phase=0.0, delay=0.0, drift=0.0, until=until)  # no shift changes what does not move
    slope = np.gradient(expected, times)
    shapes = np.stack([slope, slope * times], axis=1)
    if _held(shapes, expected) > ALIKE:
        return none

    def left(shift: np.ndarray, at: np.ndarray) -> np.ndarray:
        """What remains of the error (m,), 0 where torch's solution does not reach."""
        there = at - shift[0] - shift[1] * at
        inside = (there >= times[0]) & (there <= times[-1])
        return np.where(inside, np.interp(at, times, got) - np.interp(there, times, expected), 0.0) / full_scale

    def covered(shift: np.ndarray) -> np.ndarray:
        there = times - shift[0] - shift[1] * times
        return (there >= times[0]) & (there <= times[-1])

    few, span = np.linspace(times[0], times[-1], min(MOST, len(times))), SPAN * float(times[-1] - times[0])
    trials = [np.array([delay, drift]) for delay in np.linspace(-span, span, COARSE[0])
              for drift in np.linspace(-DRIFT, DRIFT, COARSE[1])]
    trials.append(np.clip(_first_order(shapes, error), (-span, -DRIFT), (span, DRIFT)))
    best = min(trials, key=lambda shift: _mean_square(left(shift, few), few, shift, times))
    found = []
    for start in (best, np.zeros(2)):
        fit = least_squares(left, start, args=(times,), x_scale=(span, DRIFT), xtol=1e-12, ftol=1e-12, gtol=1e-12,
                            bounds=((-2 * span, -2 * DRIFT), (2 * span, 2 * DRIFT)))
        found.append(fit.x)
    best = min([*found, np.zeros(2)], key=lambda shift: _mean_square(left(shift, times), times, shift, times))
    inside = covered(best)
    before, after = float(np.sum((error[inside] / full_scale) ** 2)), float(np.sum(left(best, times) ** 2))
    phase = 1 - after / before if before > 0 else 0.0
    return TimeShift(phase=max(0.0, phase), delay=float(best[0]), drift=float(best[1]), until=until)


def _mean_square(left: np.ndarray, at: np.ndarray, shift: np.ndarray, times: np.ndarray) -> float:
    there = at - shift[0] - shift[1] * at
    inside = (there >= times[0]) & (there <= times[-1])
    return float(np.sum(left**2) / max(int(inside.sum()), 1))


def _first_order(shapes: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Delay and drift of a small shift: error = -(delay + drift t) times the slope."""
    return -np.linalg.lstsq(shapes, error, rcond=None)[0]


def _held(shapes: np.ndarray, signal: np.ndarray) -> float:
    """Part of a signal's power that lies in the span of the shapes."""
    left = signal - shapes @ np.linalg.lstsq(shapes, signal, rcond=None)[0]
    return 1 - float(np.sum(left**2) / np.sum(signal**2))
