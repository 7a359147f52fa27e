"""How far apart two waveforms are."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO

import numpy as np

from cosim.errors import ResultsError

with redirect_stdout(StringIO()):  # in a notebook the package prints how it wants to be cited; see waveform_error
    from dtw import dtw

FLOOR = 0.01  # of the largest |expected|; relative errors are taken against at least this


@dataclass(frozen=True, kw_only=True)
class WaveformError:
    """Distance of a waveform from what was expected of it; model units where not said otherwise."""

    mre: float  # mean of |error| / max(|expected|, mre_floor), dimensionless
    mre_floor: float  # model units
    l1: float  # mean absolute error
    max: float  # largest absolute error
    rmse: float  # root mean square error
    dtw: float  # dynamic time warping distance, sum of |x_i - y_j| along the best path
    dtw_per_step: float  # dtw over the number of path steps

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def mean_relative_error(expected: np.ndarray, got: np.ndarray, floor: float = FLOOR) -> float:
    """Mean of |error| over |expected|, the latter taken as ``floor`` of its largest value at least; (m,) model units each."""
    smallest = floor * np.abs(expected).max()
    return float(np.mean(np.abs(got - expected) / np.maximum(np.abs(expected), smallest)))


def waveform_error(expected: np.ndarray, got: np.ndarray, floor: float = FLOOR) -> WaveformError:
    """Compare two waveforms on one grid.

    DTW is the plain recursion D(i, j) = |x_i - y_j| + min of the three neighbours (Sakoe and Chiba 1978, unweighted,
    no window), by the dtw-python package (Giorgino 2009, J. Stat. Soft. 31).

    Args:
        expected: (m,) model units.
        got: (m,) model units, same times.
        floor: smallest denominator of the relative error, as a part of the largest |expected|.
    Raises:
        ResultsError: shapes differ, a value is not finite, or ``expected`` is zero throughout.
    """
    expected, got = np.asarray(expected, dtype=float), np.asarray(got, dtype=float)
    if expected.shape != got.shape or expected.ndim != 1 or expected.size == 0:
        raise ResultsError(f"waveforms of shape {expected.shape} and {got.shape}: need two of one length")
    for name, array in (("expected", expected), ("compared", got)):
        if not np.isfinite(array).all():
            raise ResultsError(f"{name} waveform: sample {np.argmin(np.isfinite(array))} is not finite")
    smallest = floor * np.abs(expected).max()
    if smallest == 0:
        raise ResultsError("expected waveform is zero throughout: a relative error has no meaning")
    error = np.abs(got - expected)
    warped = dtw(expected, got, dist_method="cityblock", step_pattern="symmetric1")
    return WaveformError(
        mre=mean_relative_error(expected, got, floor),
        mre_floor=float(smallest),
        l1=float(error.mean()),
        max=float(error.max()),
        rmse=float(np.sqrt(np.mean(error**2))),
        dtw=float(warped.distance),
        dtw_per_step=float(warped.distance / len(warped.index1)),
    )
