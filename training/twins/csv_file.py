"""A recording from a CSV file: what somebody measured of a device of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import RecordingError
from training.twins.recording import Recording, columns_of

EVEN = 1e-3  # part of a step by which times may be off an even grid


def read_csv(path: Path | str, *, length: int | None = None, step_time: float | None = None, device: str | None = None,
         input_range: tuple[float, float] | None = None, units: str = "") -> Recording:
    """A device of your own, from a CSV file with a heading.

    The columns are `time` [s] on an even grid (or none, and `step_time` given), `input` or `input0`, `input1`, ..., and
    `x0`, `x1`, ...; `sequence` and `repeat` where there are several. A row holds the observables at its time and the input
    that is applied from then until the next row.

    Args:
        length: steps of the sequences that a file of one sequence is cut into.
        step_time: s, where there is no column `time`.
        device: name; default the file's.
        input_range: default from the lowest to the highest input.
    Raises:
        RecordingError: as for Recording.read; uneven times; neither times nor step_time; a length that gives
            less than two sequences.
    """
    path = Path(path)
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise RecordingError(f"{path} is no CSV file that can be read ({error})") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    single = "sequence" not in frame
    for name in ("sequence", "repeat"):
        if name not in frame:
            frame[name] = 0
    groups = frame.groupby(["sequence", "repeat"], sort=False)
    frame["step"] = groups.cumcount()
    if "time" in frame:
        step_time = _even_step(frame, step_time, path)
    if step_time is None:
        raise RecordingError(f"{path} has no column 'time' and no step_time was given; give one of them, in seconds")
    inputs, outputs = columns_of(frame, str(path))
    if single:
        frame = _cut(frame, inputs, outputs, length, path)
    elif length is not None:
        raise RecordingError(f"{path} has sequences of its own; leave out the length")
    else:
        last = frame.groupby(["sequence", "repeat"])["step"].transform("max") == frame["step"]
        frame.loc[last, inputs] = np.nan
    frame.attrs = {"device": device or path.stem, "origin": "data", "step_time": step_time, "units": units,
                   "input_range": input_range, "rested": not single, "provenance": {"file": path.name}}
    return Recording.from_frame(frame, str(path))


def _even_step(frame: pd.DataFrame, step_time: float | None, path: Path) -> float:
    """The step of an even time grid."""
    steps = frame.groupby(["sequence", "repeat"], sort=False)["time"].diff()
    step = float(steps.median())
    uneven = np.flatnonzero(~((steps - step).abs() <= EVEN * step) & (frame["step"] > 0))
    if not step > 0.0 or len(uneven):
        row = int(uneven[0]) if len(uneven) else 1
        raise RecordingError(f"{path}: the times are uneven: row {row} comes {steps.iloc[row]:g} s after the one before it, "
                             f"most come after {step:g} s; put the data on an even grid, e.g. by interpolation")
    if step_time is not None and abs(step_time - step) > EVEN * step:
        raise RecordingError(f"{path}: the times are {step:g} s apart, step_time = {step_time:g} s was given; leave it out")
    return step


def _cut(frame: pd.DataFrame, inputs: list[str], outputs: list[str], length: int | None, path: Path) -> pd.DataFrame:
    """One long sequence in pieces of `length` steps; a piece ends with the row that the next one starts with."""
    if length is None or length < 1:
        raise RecordingError(f"{path} holds one sequence of {len(frame) - 1} steps; give the length (steps) of the pieces that "
                             "it is cut into, e.g. 50")
    pieces = (len(frame) - 1) // length
    if pieces < 2:
        raise RecordingError(f"{path} holds {len(frame) - 1} steps, which is {pieces} pieces of {length}; give a shorter "
                             "length, or record longer")
    rows = np.arange(pieces)[:, None] * length + np.arange(length + 1)
    cut = frame[[*inputs, *outputs]].iloc[rows.ravel()].reset_index(drop=True)
    cut["sequence"], cut["step"] = np.repeat(np.arange(pieces), length + 1), np.tile(np.arange(length + 1), pieces)
    cut["repeat"] = 0
    cut.loc[cut["step"] == length, inputs] = np.nan
    return cut
