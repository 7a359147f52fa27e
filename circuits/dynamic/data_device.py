"""A device that is a file: what somebody measured. It answers to the inputs that it was measured with, and to no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from circuits.dynamic.device import Device, DeviceError

EVEN = 1e-3  # part of a step by which times may be off an even grid


@dataclass(frozen=True, kw_only=True, eq=False)
class DataDevice(Device):
    """Recorded inputs (sequences, steps, n_inputs) and observables (sequences, repeats, steps + 1, n_outputs), file's units."""

    origin: ClassVar[str] = "data"

    inputs: np.ndarray = field(repr=False)
    states: np.ndarray = field(repr=False)

    def respond(self, inputs: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """The recorded answers: the k-th run that asks for the inputs of a sequence gets that sequence's k-th repeat."""
        inputs = self.checked(inputs, noise)
        asked: dict[int, int] = {}
        answers = []
        for run, wanted in enumerate(inputs):
            same = [number for number, known in enumerate(self.inputs) if np.array_equal(known, wanted)]
            if not same:
                raise DeviceError(f"device {self.name}: the inputs of run {run} are none of the {len(self.inputs)} recorded "
                                  "sequences; data cannot be driven, fit a twin to it and drive that")
            repeat = asked.get(same[0], 0)
            if repeat >= self.states.shape[1]:
                raise DeviceError(f"device {self.name}: run {run} asks for repeat {repeat} of sequence {same[0]}, the file has "
                                  f"{self.states.shape[1]}")
            asked[same[0]] = repeat + 1
            answers.append(self.states[same[0], repeat])
        return np.stack(answers)


def read_data_device(path: Path, *, step_time: float | None = None, length: int | None = None, units: str = "") -> DataDevice:
    """A device from a CSV or Parquet file.

    A row holds the observables at its time and the input that is applied from then on. Columns: `time` [s] on an even grid, or
    none and ``step_time``; `input`, or `input0`, `input1`, ...; `x0`, `x1`, ...; `sequence` and `repeat`
    where there are several.

    Args:
        step_time: s; a Parquet file of ours states it itself.
        length: steps of the pieces that a file of one long sequence is cut into.
        units: of the observables.
    Raises:
        DeviceError: no such file, a column is missing or holds something else than finite numbers, times are uneven, an input
            or an observable never changes, sequences are unequally long, or there is only one and no length.
    """
    frame = _read(path)
    step_time = frame.attrs.get("step_time", step_time)
    names = {kind: _numbered(frame, kind, path) for kind in ("input", "x")}
    for column in ("sequence", "repeat"):
        if column not in frame:
            frame[column] = 0
    runs = [group for _, group in frame.groupby(["sequence", "repeat"], sort=True)]
    if "time" in frame:
        step_time = _step(runs, step_time, path)
    if step_time is None:
        raise DeviceError(f"{path} has no column time; give the step_time in seconds")
    lengths = {len(run) for run in runs}
    if len(lengths) > 1:
        raise DeviceError(f"{path}: runs of {min(lengths)} to {max(lengths)} rows; give all of them the same length")
    counts = frame.groupby("sequence")["repeat"].nunique()
    if counts.nunique() > 1:
        raise DeviceError(f"{path}: sequences of {counts.min()} to {counts.max()} repeats; give all the same number")
    values = {kind: np.stack([run[columns].to_numpy(dtype=float) for run in runs]) for kind, columns in names.items()}
    inputs, states = values["input"][:, :-1], values["x"]
    if len(counts) == 1:
        inputs, states = _cut(inputs, states, length, path)
    shape = (-1, int(counts.iloc[0]))
    inputs, states = inputs.reshape(*shape, *inputs.shape[1:]), states.reshape(*shape, *states.shape[1:])
    _check(path, names, inputs, states)
    if not np.array_equal(inputs, np.broadcast_to(inputs[:, :1], inputs.shape)):
        raise DeviceError(f"{path}: repeats of a sequence have different inputs; give them a sequence each")
    name = "".join(letter if letter.isalnum() else "_" for letter in path.stem.lower())
    return DataDevice(name=name, purpose=f"measured, {path.name}", input_range=(float(inputs.min()), float(inputs.max())),
                      outputs=tuple(names["x"]), step_time=float(step_time), n_inputs=inputs.shape[-1], input_units=units,
                      output_units=units, provenance={"file": path.name}, inputs=inputs[:, 0], states=states)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DeviceError(f"{path} does not exist; give a CSV or Parquet file")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as failed:  # the parsers' errors are ValueErrors
        kind = "Parquet" if path.suffix == ".parquet" else "CSV"
        raise DeviceError(f"{path} is no {kind} file that can be read: {failed}") from failed
    frame.columns = [str(name).strip() for name in frame.columns]
    if len(frame) < 2:
        raise DeviceError(f"{path} has {len(frame)} rows; give 2 or more")
    return frame


def _numbered(frame: pd.DataFrame, kind: str, path: Path) -> list[str]:
    """Columns input or input0, input1, ...; x0, x1, ..."""
    numbered = [name for name in (f"{kind}{k}" for k in range(len(frame.columns))) if name in frame]
    names = ["input"] if kind == "input" and "input" in frame else numbered
    if not names or (names != [kind] and names[-1] != f"{kind}{len(names) - 1}"):
        raise DeviceError(f"{path} has the columns {', '.join(frame.columns)}; name the {kind} columns "
                          f"{'input, or input0, input1' if kind == 'input' else 'x0, x1'}, ... without a gap")
    for name in names:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise DeviceError(f"{path}: column {name} holds something else than numbers")
    return names


def _step(runs: Sequence[pd.DataFrame], given: float | None, path: Path) -> float:
    steps = np.concatenate([np.diff(run["time"].to_numpy(dtype=float)) for run in runs])
    step = float(np.median(steps))
    uneven = np.flatnonzero(~(np.abs(steps - step) <= EVEN * step))
    if not step > 0 or len(uneven):
        worst = float(steps[uneven[0]]) if len(uneven) else step
        raise DeviceError(f"{path}: times are uneven, a step of {worst:g} s (the {uneven[0] + 1 if len(uneven) else 1}. of "
                          f"the file) where most are {step:g} s; interpolate the data to an even grid")
    if given is not None and abs(given - step) > EVEN * step:
        raise DeviceError(f"{path}: times are {step:g} s apart, step_time = {given:g} s; leave it out")
    return step


def _cut(inputs: np.ndarray, states: np.ndarray, length: int | None, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of so many steps of every repeat, (pieces * repeats, ...); a piece ends with the row that the next starts with."""
    steps = inputs.shape[1]
    if length is None or length < 1 or steps // length < 2:
        raise DeviceError(f"{path} holds one sequence of {steps} steps, length {length}; give a length (steps) that cuts it "
                          "into 2 pieces or more")
    starts = [piece * length for piece in range(steps // length)]
    return (np.concatenate([inputs[:, start : start + length] for start in starts]),
            np.concatenate([states[:, start : start + length + 1] for start in starts]))


def _check(path: Path, names: dict[str, list[str]], inputs: np.ndarray, states: np.ndarray) -> None:
    for kind, values in (("input", inputs), ("x", states)):
        for k, name in enumerate(names[kind]):
            bad = np.argwhere(~np.isfinite(values[..., k]))
            if len(bad):
                sequence, repeat, step = bad[0]
                raise DeviceError(f"{path}: {name} of sequence {sequence}, repeat {repeat}, step {step} is no finite number, "
                                  f"as are {len(bad) - 1} more values; measure again or leave those sequences out")
            if np.ptp(values[..., k]) == 0:
                raise DeviceError(f"{path}: {name} is {values[..., k].flat[0]:g} in every row; "
                                  f"{'drive the device over its range' if kind == 'input' else 'the device does not answer'}")
