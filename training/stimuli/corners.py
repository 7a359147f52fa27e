"""Straight lines between corners, in numpy and as a SPICE source: what all piecewise linear stimuli share.

The SPICE text follows the ngspice manual, section "Piece-Wise Linear" of independent sources.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.errors import StimulusError

BEND = 1e-9  # of the slopes at a corner; where they differ by less there is none


def pwl_source(points: Sequence[tuple[float, float]]) -> str:
    """SPICE text of a piecewise linear source through (time [s], voltage [V])."""
    return "pwl(" + " ".join(f"{float(t)!r} {float(v)!r}" for t, v in points) + ")"


def delayed_points(times: np.ndarray, values: np.ndarray, volts_per_unit: float, delay: float) -> list[tuple[float, float]]:
    """Points of a source whose waveform starts at ``delay`` [s] with the first of ``times`` [s]; it rests there before.

    Raises:
        StimulusError: two corners are so close that they have the same simulation time.
    """
    points = [(delay + t, volts_per_unit * v) for t, v in zip(times.tolist(), values.tolist(), strict=True)]
    if delay > 0.0:
        points.insert(0, (0.0, points[0][1]))
    at = np.array([t for t, _ in points])
    if (np.diff(at) <= 0.0).any():
        k = int(np.argmax(np.diff(at) <= 0.0))
        raise StimulusError(f"corners {k} and {k + 1} of a piecewise linear source are both at {at[k]!r} s of simulation time, "
                            "too close for a float; use slower edges or a larger spacing of the samples")
    return points


def bends(times: np.ndarray, values: np.ndarray, t_stop: float) -> np.ndarray:
    """Times strictly inside (0, t_stop) at which the line through the corners, held before and after them, bends."""
    slope = np.concatenate([[0.0], np.diff(values) / np.diff(times), [0.0]])
    bent = times[np.abs(np.diff(slope)) > BEND * np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))]
    return bent[(bent > 0.0) & (bent < t_stop)]


def corners_integral(times: np.ndarray, values: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Exact integral from 0 to t of the line through the corners, held before and after them."""
    t = np.asarray(t, dtype=np.float64)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(times))])

    def from_first(at: np.ndarray) -> np.ndarray:
        k = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
        step = np.clip(at, times[0], times[-1]) - times[k]
        slope = (values[k + 1] - values[k]) / (times[k + 1] - times[k])
        held = values[0] * np.minimum(at - times[0], 0.0) + values[-1] * np.maximum(at - times[-1], 0.0)
        return area[k] + step * (values[k] + 0.5 * slope * step) + held

    return from_first(t) - from_first(np.float64(0.0))
