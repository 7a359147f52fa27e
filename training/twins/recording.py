"""A recording of a device: which inputs it was given, and what was observed, over sequences and repeats.

A file (Parquet) has a row per sequence, repeat and step with the columns `sequence`, `repeat`, `step` (0 to L), `input` (with
several inputs `input0`, `input1`, ...), `x0`, `x1`, ... Row k holds the observables at the time k * step_time, before the input
of step k is applied; that input is held until row k + 1. The row of step L has no input (NaN). All repeats of a sequence have
the same inputs and noise of their own. What else is known stands in the frame's `attrs`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import RecordingError

ORIGINS = ("deck", "data", "equation")
RAIL = 0.5  # part of the samples at one and the same extreme value from which a device counts as railed


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Inputs and observables of a device in its own units, checked."""

    inputs: np.ndarray  # (sequences, steps, n_inputs), device units, each held for one step
    states: np.ndarray  # (sequences, repeats, steps + 1, n_outputs), device units
    step_time: float  # s
    device: str = "device"
    origin: str = "data"  # one of ORIGINS
    seed: int | None = None
    input_range: tuple[float, float] | None = None  # device units; None: from the lowest to the highest input
    units: str = ""  # of the observables
    rested: bool = True  # every sequence starts from the same preparation, so that what was before equals its first row
    provenance: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        inputs, states = np.asarray(self.inputs, dtype=np.float64), np.asarray(self.states, dtype=np.float64)
        if inputs.ndim != 3 or states.ndim != 4 or 0 in inputs.shape or 0 in states.shape:
            raise RecordingError(f"inputs {inputs.shape} and states {states.shape}; give (sequences, steps, n_inputs) and "
                                 "(sequences, repeats, steps + 1, n_outputs), none of them 0")
        if (len(inputs), inputs.shape[1] + 1) != (len(states), states.shape[2]):
            raise RecordingError(f"inputs {inputs.shape} and states {states.shape} do not belong together: states have "
                                 "the same sequences and one row more than inputs have steps")
        if not (np.isfinite(self.step_time) and self.step_time > 0.0):
            raise RecordingError(f"step_time = {self.step_time} s; give the time of one step, above 0")
        if self.origin not in ORIGINS:
            raise RecordingError(f"origin {self.origin!r}; give one of {', '.join(ORIGINS)}")
        _check_finite("input", inputs[:, None])
        _check_finite("x", states)
        low, high = self.input_range or (float(inputs.min()), float(inputs.max()))
        slack = 1e-9 * max(abs(low), abs(high))
        if not low <= high or inputs.min() < low - slack or inputs.max() > high + slack:
            raise RecordingError(f"input_range = [{low:g}, {high:g}], but the inputs go from {inputs.min():g} to "
                                 f"{inputs.max():g}; give the range that the device was driven over")
        for name, value in (("inputs", inputs), ("states", states), ("input_range", (float(low), float(high)))):
            object.__setattr__(self, name, value)

    @property
    def n_inputs(self) -> int:
        return self.inputs.shape[2]

    @property
    def n_outputs(self) -> int:
        return self.states.shape[3]

    @property
    def sequences(self) -> int:
        return self.states.shape[0]

    @property
    def repeats(self) -> int:
        return self.states.shape[1]

    @property
    def steps(self) -> int:
        return self.inputs.shape[1]

    def check_drive(self) -> None:
        """Refuse a recording that says nothing about the device.

        Raises:
            RecordingError: an input or an observable that never changes, or an observable at one limit most of the time.
        """
        for kind, values in (("input", self.inputs), ("x", self.states)):
            for k in range(values.shape[-1]):
                part = values[..., k]
                low, high = part.min(), part.max()
                name = "input" if kind == "input" and self.n_inputs == 1 else f"{kind}{k}"
                if high - low <= 1e-12 * max(abs(low), abs(high)):
                    reason = ("drive it with random values over its range" if kind == "input"
                              else "the device is not connected, or it rails: drive it over a smaller range")
                    raise RecordingError(f"{name} is {low:g} in every row of {self.device!r}; {reason}")
                for limit in (low, high) if kind == "x" else ():
                    share = np.mean(np.abs(part - limit) <= 1e-6 * (high - low))
                    if share >= RAIL:
                        raise RecordingError(f"{name} of {self.device!r} stands at its limit {limit:g} in {share:.0%} of the "
                                             "rows: the device rails; drive it over a smaller range")

    def select(self, sequences: Sequence[int] | slice) -> Recording:
        """The recording of some of its sequences."""
        return replace(self, inputs=self.inputs[sequences], states=self.states[sequences])

    def split(self, held: float = 0.2) -> tuple[Recording, Recording]:
        """The sequences to fit on and those held out, the last of them.

        Args:
            held: part of the sequences to hold out, at least one.
        Raises:
            RecordingError: there is one sequence only.
        """
        if self.sequences < 2:
            raise RecordingError(f"{self.device!r} holds one sequence of {self.steps} steps, so none can be held out; record "
                                 "more, or cut a long one in pieces with read_csv(..., length=...) or `cosim device fit "
                                 "--length`")
        if not 0.0 < held < 1.0:
            raise RecordingError(f"held = {held}; give a part between 0 and 1")
        last = min(max(1, round(held * self.sequences)), self.sequences - 1)
        return self.select(slice(None, -last)), self.select(slice(-last, None))

    def to_frame(self) -> pd.DataFrame:
        """The rows of the file, with `attrs`."""
        shape = self.states.shape[:3]
        index = [np.broadcast_to(np.arange(n).reshape([-1 if k == j else 1 for j in range(3)]), shape).ravel()
                 for k, n in enumerate(shape)]
        frame = pd.DataFrame(dict(zip(("sequence", "repeat", "step"), index, strict=True)))
        ended = np.concatenate([self.inputs, np.full((shape[0], 1, self.n_inputs), np.nan)], axis=1)[:, None]
        for k, name in enumerate(input_columns(self.n_inputs)):
            frame[name] = np.broadcast_to(ended[..., k], shape).ravel()
        for k in range(self.n_outputs):
            frame[f"x{k}"] = self.states[..., k].ravel()
        frame.attrs = {"device": self.device, "origin": self.origin, "step_time": self.step_time, "seed": self.seed,
                       "input_range": list(self.input_range), "units": self.units, "rested": self.rested,
                       "provenance": self.provenance}
        return frame

    def write(self, path: Path | str) -> Path:
        """Write a Parquet file, whole or not at all.

        Raises:
            RecordingError: the file cannot be written.
        """
        path = Path(path)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(self.to_frame().to_parquet(None, index=False))
            partial.replace(path)
        except OSError as error:
            raise RecordingError(f"cannot write {path}: {error.strerror or error}; free space or choose "
                                 "another folder") from error
        finally:
            partial.unlink(missing_ok=True)
        return path

    @classmethod
    def read(cls, path: Path | str) -> Recording:
        """Read a Parquet file and check everything in it.

        Raises:
            RecordingError: missing, damaged, without a column or an attribute, uneven, not finite, or constant.
        """
        path = Path(path)
        if not path.is_file():
            raise RecordingError(f"{path} does not exist; record the device first, or read a CSV file with "
                                 "training.twins.csv_file.read_csv")
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
            raise RecordingError(f"{path} is no Parquet file that can be read ({error}); record the device again, or "
                                 "read a CSV file with training.twins.csv_file.read_csv") from error
        return cls.from_frame(frame, str(path))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, where: str = "the frame") -> Recording:
        """A recording from rows as `to_frame` gives them; `where` names them in an error.

        Raises:
            RecordingError: as for `read`.
        """
        if "step_time" not in frame.attrs:
            raise RecordingError(f"{where} does not say its step_time in its attributes; write it with Recording.write")
        inputs, outputs = columns_of(frame, where)
        order = frame.sort_values(["sequence", "repeat", "step"], kind="stable")
        counts = order.groupby(["sequence", "repeat"], sort=True)["step"].agg(["count", "min", "max", "nunique"])
        rows = int(counts["count"].iloc[0]) if len(counts) else 0
        odd = counts[(counts[["count", "nunique"]] != rows).any(axis=1) | (counts["min"] != 0) | (counts["max"] != rows - 1)]
        if len(odd) or rows < 2:
            name, row = (odd.index[0], odd.iloc[0]) if len(odd) else (("-", "-"), {"count": rows, "min": 0, "max": rows - 1})
            raise RecordingError(f"{where}: sequence {name[0]}, repeat {name[1]} has {row['count']} rows of the steps "
                                 f"{row['min']} to {row['max']}, the first sequence 0 to {rows - 1}; every step once, two rows "
                                 "or more, equally long everywhere")
        sequences = order["sequence"].nunique()
        repeats, left = divmod(len(counts), sequences)
        if left or (counts.groupby("sequence").size() != repeats).any():
            raise RecordingError(f"{where}: {len(counts)} repeats of {sequences} sequences; every sequence needs the same "
                                 "number")
        driven = order[inputs].to_numpy(dtype=np.float64).reshape(sequences, repeats, rows, len(inputs))
        if not np.array_equal(driven[:, :, :-1], np.broadcast_to(driven[:, :1, :-1], driven[:, :, :-1].shape), equal_nan=True):
            raise RecordingError(f"{where}: repeats of a sequence have different inputs; give them a sequence each")
        known = {"rested": frame.attrs.get("origin") != "data"}  # unless it is said: nobody prepared what was only measured
        known |= {name: frame.attrs[name] for name in ("device", "origin", "seed", "units", "rested", "provenance")
                 if name in frame.attrs}
        limits = frame.attrs.get("input_range")
        recording = cls(inputs=driven[:, 0, :-1], states=order[outputs].to_numpy(dtype=np.float64).reshape(
            sequences, repeats, rows, len(outputs)), step_time=float(frame.attrs["step_time"]),
            input_range=None if limits is None else (float(limits[0]), float(limits[1])), **known)
        recording.check_drive()
        return recording


def input_columns(n: int) -> list[str]:
    """Names of the columns of n inputs."""
    return ["input"] if n == 1 else [f"input{k}" for k in range(n)]


def _check_finite(name: str, values: np.ndarray) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        sequence, repeat, step, k = bad[0]
        raise RecordingError(f"{name}{k} of sequence {sequence}, repeat {repeat}, step {step} is {values[tuple(bad[0])]}, one "
                             f"of {len(bad)} values that are no finite number; record again, or leave out these sequences")


def columns_of(frame: pd.DataFrame, where: str) -> tuple[list[str], list[str]]:
    """Names of input and observable columns, all of numbers."""
    inputs = ["input"] if "input" in frame else [f"input{k}" for k in range(len(frame.columns)) if f"input{k}" in frame]
    outputs = [f"x{k}" for k in range(len(frame.columns)) if f"x{k}" in frame]
    missing = [name for name in ("sequence", "repeat", "step") if name not in frame]
    missing += ["input (or input0, input1, ...)"] * (not inputs) + ["x0"] * ("x0" not in frame)
    gaps = [f"{kind}{k}" for kind, names in (("input", inputs), ("x", outputs)) for k in range(len(names))
            if f"{kind}{k}" not in names and names != ["input"]]
    if missing or gaps:
        raise RecordingError(f"{where} has the columns {', '.join(frame.columns)}; missing: {', '.join(missing + gaps)}")
    for name in [*inputs, *outputs]:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise RecordingError(f"{where}: column {name!r} holds something else than numbers")
    return inputs, outputs
