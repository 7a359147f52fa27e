"""The truth about a case: what the system that a network stands for really does, where it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from cosim.errors import CosimError
from cosim.problem.case import Case

SLACK = 1e-9  # of the duration, by which times may end too early: rounding


def truths(given: Mapping[str, Any] | Callable[[Case], Any] | None, cases: Sequence[Case]) -> dict[str, np.ndarray]:
    """The truth of every case that has one, on its grid: (samples, n_states), model units, read-only.

    Args:
        given: case name -> array (samples, n_states) on the case's grid, states in the order x0, x1, ...; or a tuple (times,
            values) [model s], which is resampled with shape-preserving cubics (PCHIP); or a function that is called with the
            case and gives either. A function in place of the mapping is called for every case. None: nothing is known.
    Raises:
        CosimError: an unknown case, a shape that does not fit, a value that is not finite, or times that do not ascend or do
            not cover the case; names the case.
    """
    if given is None:
        return {}
    if callable(given):
        given = dict.fromkeys((case.name for case in cases), given)
    if not isinstance(given, Mapping):
        raise CosimError(f"truth is a {type(given).__name__}; give a mapping from the names of cases to arrays, or a function "
                         "of the case")
    names = [case.name for case in cases]
    if unknown := [str(name) for name in given if name not in names]:
        raise CosimError(f"truth of {', '.join(unknown)}: there is no such case; the cases are {', '.join(names)}")
    return {case.name: _on_grid(given[case.name], case) for case in cases if case.name in given}


def _on_grid(given: Any, case: Case) -> np.ndarray:
    given = given(case) if callable(given) else given
    if isinstance(given, tuple) and len(given) == 2:
        truth = _resampled(*given, case)
    else:
        truth = _states(given, case, f"{case.samples} samples, as case.times has")
        if len(truth) != case.samples:
            raise CosimError(f"truth of case {case.name} has {len(truth)} samples, the case's grid has {case.samples}; give it "
                             "at case.times, or as a tuple (times, values)")
    truth = truth.copy()
    truth.setflags(write=False)
    return truth


def _resampled(times: Any, values: Any, case: Case) -> np.ndarray:
    where = f"truth of case {case.name}"
    times, values = np.asarray(times, dtype=float), _states(values, case, "one row per time")
    if times.shape != values.shape[:1] or len(times) < 2:
        raise CosimError(f"{where}: times of shape {times.shape} and {len(values)} rows of values; give two times or more, and "
                         "one row of values for each")
    if not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise CosimError(f"{where}: its times must be finite and ascend; sort it by time and leave out repeated times")
    slack = SLACK * case.duration
    if times[0] > slack or times[-1] < case.duration - slack:
        raise CosimError(f"{where} covers {times[0]:.6g} s to {times[-1]:.6g} s, the case 0 s to {case.duration:.6g} s; give "
                         "all of it, or shorten the case: nothing is extrapolated")
    return PchipInterpolator(times, values)(np.clip(case.times, times[0], times[-1]))


def _states(values: Any, case: Case, rows: str) -> np.ndarray:
    try:
        array = np.asarray(values.detach().numpy() if hasattr(values, "detach") else values, dtype=float)
    except (TypeError, ValueError) as error:
        raise CosimError(f"truth of case {case.name} is not an array of numbers: {error}") from error
    n_states = len(case.initial)
    array = array[:, None] if array.ndim == 1 and n_states == 1 else array
    if array.ndim != 2 or array.shape[1] != n_states:
        raise CosimError(f"truth of case {case.name} has shape {array.shape}; it is ({rows}; {n_states} "
                         f"state{'s' if n_states > 1 else ''})")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0].tolist()
        raise CosimError(f"truth of case {case.name}: sample {row} of state x{column} is {array[row, column]}; give finite "
                         "values, or shorten the case to where it is known")
    return array
