"""A golden file: CSV, one column the scale, one a vector, below comments that say what it is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from circuits.engine.waveforms import Waveforms, canonical
from cosim.errors import GoldenMismatch
from cosim.golden.signals import SCALE_UNITS, unit_of
from cosim.store.files import write_atomically

SUFFIX = ".csv"
DIGITS = 10  # of a value: a rounding of 5e-11, far below any band
MEND = "restore it from version control, or run pytest with --force-regen to write it anew"


def write_golden(path: Path, waveforms: Waveforms, source: str) -> None:
    """Write waveforms; the points of the scale exactly, the values to ten digits.

    Args:
        source: the deck's name or title, for the comment.
    Raises:
        ResultsError: the file cannot be written.
    """
    units = [SCALE_UNITS.get(waveforms.scale_name, ""), *(unit_of(name) for name in waveforms.names[1:])]
    columns = [f"{name} [{unit}]" if unit else name for name, unit in zip(waveforms.names, units, strict=True)]
    rows = [",".join([repr(float(point)), *(f"{value + 0.0:.{DIGITS}g}" for value in values)])
            for point, *values in waveforms.data]
    names = [f'"{name}"' if set(name) & set(',"#') else name for name in waveforms.names]
    write_atomically(path, "\n".join([
        "# golden waveforms, written by the pytest fixture waveform_regression of cosim; runs are held in a band around them",
        f"# source: {' '.join(source.split())}",
        f"# columns: {', '.join(columns)}",
        "# read: pandas.read_csv(path, comment='#'); write anew: pytest --force-regen",
        ",".join(names), *rows, ""]).encode())


def read_golden(path: Path, shown: Path) -> Waveforms:
    """Read a golden file strictly: of ours, or any CSV with a header and ascending numbers.

    Args:
        shown: the path to name in messages; pytest reads a copy.
    Raises:
        GoldenMismatch: empty, damaged, not finite or not ascending; names the line.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise GoldenMismatch(f"golden file {shown} is no text (byte {error.start}); {MEND}") from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    if len(numbered) < 3:
        raise GoldenMismatch(f"golden file {shown} is empty or cut: {len(numbered)} lines without comments; a header and two "
                             f"rows of numbers are needed; {MEND}")
    (top, header), *table = numbered
    names = tuple(canonical(name) for name in _fields(header))
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or len(names) < 2:
        fault = f"names column {repeated[0]} twice" if repeated else f"names one column, {header.strip()[:60]!r}"
        raise GoldenMismatch(f"golden file {shown}, line {top} {fault}; needed are the scale and one column for every vector, "
                             f"with commas between them; {MEND}")
    data = np.array([_row(shown, number, _fields(line), names) for number, line in table])
    backward = np.flatnonzero(np.diff(data[:, 0]) <= 0)
    if backward.size:
        k = int(backward[0]) + 1
        raise GoldenMismatch(f"golden file {shown}, line {table[k][0]}: {names[0]} = {data[k, 0]:.9g} follows "
                             f"{data[k - 1, 0]:.9g}, but the first column must ascend; sort the rows and keep one "
                             f"of equals, or {MEND}")
    return Waveforms(plot="golden file", title=str(shown), names=names, data=data)


def _fields(line: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), skipinitialspace=True))


def _row(shown: Path, number: int, fields: list[str], names: tuple[str, ...]) -> list[float]:
    if len(fields) != len(names):
        raise GoldenMismatch(f"golden file {shown}, line {number} has {len(fields)} columns, its header {len(names)}; the "
                             f"file is damaged, {MEND}")
    values = []
    for name, text in zip(names, fields, strict=True):
        try:
            values.append(float(text))
        except ValueError as error:
            raise GoldenMismatch(f"golden file {shown}, line {number}: {name} is {text[:60]!r}, not a number; the file is "
                                 f"damaged, {MEND}") from error
        if not np.isfinite(values[-1]):
            raise GoldenMismatch(f"golden file {shown}, line {number}: {name} is {text.strip()}, and nothing can be compared "
                                 f"with that; {MEND}")
    return values
