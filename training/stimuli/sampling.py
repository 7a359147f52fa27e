"""Sampling a function of time so that straight lines between the samples are as close to it as is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.errors import StimulusError
from training.stimuli.thinning import thin

FIRST = 512  # stretches that a run is looked at in, at least; a feature shorter than one may be missed
PER_FEATURE = 8  # stretches in the shortest feature that is known of
LOOKED_AT = np.array([0.2113, 0.5, 0.7887])  # of a stretch: where it is held against its chord; uneven, so that no period hides
HALVING = 0.25  # of the error, may be used by halving
MOST = 500_000  # stretches
ROUNDING = 1e-12  # of the largest value: deviations below it are rounding
# A stretch this short, as a part of the run, is an edge where it still moves by more than JUMP of the range; it is not halved
# further. Where it moves by less, as the root of t at 0 does, it is halved until it is SHORTEST.
EDGE, JUMP, SHORTEST = 1e-6, 0.01, 1e-9
MOST_EDGES = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What sampling gave."""

    times: np.ndarray  # (n,) s, from 0 to the end of the run
    values: np.ndarray  # (n,)
    error: float  # largest deviation of the chords wherever the function was looked at but inside edges, unit of the values


def sample(function: Callable[[np.ndarray], np.ndarray], t_stop: float, *, error: float, breakpoints: Sequence[float] = (),
           finest: float = np.inf, what: str = "function") -> Samples:
    """Sample adaptively: a stretch is halved until the function is close to its chord, then what is not needed is left out.

    Halving may use a quarter of the error, leaving out the rest.

    Args:
        function: of times (n,) [s], gives (n,) finite values.
        t_stop: end of the run [s]; it starts at 0.
        error: largest deviation, as a part of the range of the values.
        breakpoints: times [s] at which its slope jumps.
        finest: [s], duration of its shortest feature, where it is known.
        what: name of the function, for messages.
    Raises:
        StimulusError: there are more edges than a waveform has, or more stretches than are looked at.
    """
    first = max(FIRST, int(min(np.ceil(PER_FEATURE * t_stop / finest), MOST + 1)))
    _check_count(first, t_stop, error, what)
    times = np.unique(np.concatenate([np.linspace(0.0, t_stop, first + 1), np.asarray(breakpoints, dtype=float)]))
    times = times[(times >= 0.0) & (times <= t_stop)]
    values = function(times)
    seen, edges = [(times, values)], 0
    left, right = (times[:-1], values[:-1]), (times[1:], values[1:])
    while len(left[0]):
        length, rise = right[0] - left[0], right[1] - left[1]
        at = left[0][:, None] + length[:, None] * LOOKED_AT
        there = function(at.ravel()).reshape(at.shape)
        off = np.abs(there - (left[1][:, None] + rise[:, None] * LOOKED_AT)).max(axis=1)
        span, tolerance = _range(seen, there), HALVING * _tolerance(seen, there, error)
        is_edge = (off > tolerance) & (length <= EDGE * t_stop) & ((np.abs(rise) > JUMP * span) | (length <= SHORTEST * t_stop))
        edges += int(is_edge.sum())
        if edges > MOST_EDGES:
            raise StimulusError(f"{what} jumps at more than {MOST_EDGES} places, one of them t = {left[0][is_edge][0]:.6g} s; "
                                "give the samples that it is made of, Sampled(times=..., values=..., interpolation=\"hold\")")
        seen.append((at[~is_edge].ravel(), there[~is_edge].ravel()))
        halved = (off > tolerance) & ~is_edge
        middle = (at[halved, 1], there[halved, 1])
        left = tuple(np.concatenate([a[halved], b]) for a, b in zip(left, middle, strict=True))
        right = tuple(np.concatenate([a, b[halved]]) for a, b in zip(middle, right, strict=True))
        _check_count(sum(len(t) for t, _ in seen) // 4 + len(left[0]), t_stop, error, what)
    times, order = np.unique(np.concatenate([t for t, _ in seen]), return_index=True)
    values = np.concatenate([v for _, v in seen])[order]
    kept = thin(times, values, (1.0 - HALVING) * _tolerance(seen, values, error))
    middles = (0.5 * (times[:-1] + times[1:]))[np.diff(times) > EDGE * t_stop]  # looked at once more, to tell the error
    at = np.concatenate([times, middles])
    there = np.concatenate([values, function(middles)]) if len(middles) else values
    chords = np.interp(at, times[kept], values[kept])
    return Samples(times=times[kept], values=values[kept], error=float(np.abs(chords - there).max()))


def _range(seen: list[tuple[np.ndarray, np.ndarray]], more: np.ndarray) -> float:
    return float(max(more.max(), *(v.max(initial=-np.inf) for _, v in seen))
                 - min(more.min(), *(v.min(initial=np.inf) for _, v in seen)))


def _tolerance(seen: list[tuple[np.ndarray, np.ndarray]], more: np.ndarray, error: float) -> float:
    largest = max(np.abs(more).max(), *(np.abs(v).max(initial=0.0) for _, v in seen))
    return max(error * _range(seen, more), ROUNDING * float(largest))


def _check_count(stretches: int, t_stop: float, error: float, what: str) -> None:
    if stretches > MOST:
        raise StimulusError(f"{what}: more than {MOST} samples are needed over {t_stop:.6g} s to be within {error:g} of its "
                            "range; allow a larger error, or make the case shorter")
