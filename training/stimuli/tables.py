"""Samples out of pandas: a Series, a column of a CSV file, a column of a Parquet file."""

from __future__ import annotations

import re
import zlib
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import StimulusError

READERS = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
COMPRESSED = (".gz",)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")


def series_samples(series: pd.Series) -> tuple[np.ndarray, np.ndarray, str]:
    """Times [s], values and a name.

    Raises:
        StimulusError: values or index are no numbers.
    """
    source = f"series {series.name}" if series.name is not None else "series"
    return _seconds(series.index.to_series(), f"{source}, index"), _numbers(series, source), source


def file_samples(path: str | PathLike, column: str, *, time: str | None, rate: float | None
                 ) -> tuple[np.ndarray, np.ndarray, str]:
    """Times [s], values and a name, "drive.csv, column voltage".

    Raises:
        StimulusError: no such file or column, a file that cannot be read, or a value that is no number.
    """
    path = Path(path)
    frame = _read(path)
    if (time is None) == (rate is None):
        raise StimulusError(f"{path}: give the name of the column that holds the time, or the rate [samples/s], and not both; "
                            f"its columns are {_listed(frame)}")
    for name in (column, *(() if time is None else (time,))):
        if name not in frame:
            raise StimulusError(f"{path} has no column {name!r}; its columns are {_listed(frame)}{_separator(frame)}")
    source = f"{path.name}, column {column}"
    values = _numbers(frame[column], f"{path}, column {column}")
    if time is not None:
        return _seconds(frame[time], f"{path}, column {time}"), values, source
    if not (np.isfinite(rate) and rate > 0.0):
        raise StimulusError(f"{path}: rate = {rate} samples/s; it must be finite and above 0")
    return np.arange(len(values)) / rate, values, source


def _read(path: Path) -> pd.DataFrame:
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED]
    reader = READERS.get(suffixes[-1].lower()) if suffixes else None
    if reader is None:
        raise StimulusError(f"{path}: a file ends in {' or '.join(READERS)}; read another kind with pandas and give the column "
                            "to Sampled.from_series")
    try:
        frame = reader(path)
    except OSError as error:
        raise StimulusError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zlib.error) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise StimulusError(f"{path} cannot be read as {suffixes[-1]}: {error}; read it with pandas and give the column to "
                            "Sampled.from_series") from error
    return frame.rename(columns=lambda name: name.strip() if isinstance(name, str) else name)


def _seconds(column: pd.Series, where: str) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return ((column - column.iloc[0]) / pd.Timedelta(seconds=1)).to_numpy(float)
    try:
        return _numbers(column, where)
    except StimulusError as no_numbers:
        try:  # dates as ISO 8601 writes them, which are the same in every country
            dates = pd.to_datetime(column, format="ISO8601")
        except ValueError:
            raise no_numbers from no_numbers.__cause__
        return _seconds(dates, where)


def _numbers(column: pd.Series, where: str) -> np.ndarray:
    try:
        return pd.to_numeric(column).to_numpy(float)
    except (ValueError, TypeError) as error:
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = np.flatnonzero(numbers.isna() & column.notna())
        at = f"row {wrong[0]} holds {column.iloc[wrong[0]]!r}" if len(wrong) else str(error)
        comma = len(wrong) and _DECIMAL_COMMA.fullmatch(str(column.iloc[wrong[0]]).strip())
        if comma:
            at += " with a decimal comma, for which pandas.read_csv takes decimal=\",\""
        raise StimulusError(f"{where}: {at}, which is no number; correct it, or read the file with pandas and give the column "
                            "to Sampled.from_series") from error


def _separator(frame: pd.DataFrame) -> str:
    """What to do where the one column there is seems to be several."""
    found = next((mark for mark in ";\t|" if len(frame.columns) == 1 and mark in str(frame.columns[0])), None)
    return "" if found is None else (f"; they seem to be separated by {found!r}: give Sampled.from_series a column of "
                                     f"pandas.read_csv(path, sep={found!r}), with decimal=\",\" for decimal commas, its index "
                                     "the time, e.g. by set_index()")


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame.columns)) or "none"
