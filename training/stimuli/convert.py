"""What a user gives for an external input, as a stimulus."""

from __future__ import annotations

from numbers import Real
from os import PathLike
from typing import Any

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import Stimulus
from training.stimuli.constant import Constant
from training.stimuli.function import Function
from training.stimuli.sampled import Sampled

ACCEPTED = ("a Stimulus, e.g. Sine(amplitude=0.1, bias=0.0, period=1.0); a number; samples as (times, values) or as an array "
            "of shape (n, 2) with the times [s] first; a pandas Series over time; or a function of the time [s]")


def as_stimulus(value: Any) -> Stimulus:
    """A stimulus of a number, of samples, of a pandas Series or of a function; a stimulus stays as it is.

    Raises:
        StimulusError: it is none of these; says what is accepted.
    """
    if isinstance(value, Stimulus):
        return value
    if isinstance(value, Real) or (hasattr(value, "ndim") and value.ndim == 0):
        return Constant(value=float(value))
    if callable(value) and not isinstance(value, type):
        return Function(value)
    if isinstance(value, str | PathLike):
        raise StimulusError(f"{str(value)!r} is a name; read a file with Sampled.from_file(path, column=..., time=...)")
    if type(value).__module__.partition(".")[0] == "pandas":
        return _of_pandas(value)
    if isinstance(value, list | tuple) and len(value) == 2 and all(np.ndim(part) == 1 for part in value):
        return Sampled(times=value[0], values=value[1])
    if getattr(value, "ndim", 0) == 2 and value.shape[1] == 2:
        return Sampled(times=value[:, 0], values=value[:, 1])
    raise StimulusError(f"{_described(value)} is no stimulus; give {ACCEPTED}")


def _of_pandas(value: Any) -> Stimulus:
    import pandas as pd

    if isinstance(value, pd.Series):
        return Sampled.from_series(value)
    raise StimulusError(f"a pandas {type(value).__name__} may hold several signals; give one column of it, a Series over time")


def _described(value: Any) -> str:
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else f" of {len(value)}" if isinstance(
        value, list | tuple) else ""
    hint = "; for samples at a rate give Sampled.at_rate(values, rate=...)" if len(getattr(value, "shape", ())) == 1 else ""
    return f"{type(value).__name__}{shape}{hint}"
