"""Raw files: ngspice's output, read strictly, also after a kill.

Why not a library: spicelib and PySpice trust the header, and a killed run's header says 0 points, so both return an
empty plot where the data stands in the file; a header that promises more rows than the file holds is not refused
either. Partial data and strictness are what the engine needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuits.engine.waveforms import Waveforms
from circuits.errors import RawFileError

_SWEEP = re.compile(r"^[vi]\((.*-sweep)\)$")  # .dc writes its scale as if it were a node


@dataclass(frozen=True, kw_only=True)
class _Header:
    title: str
    plot: str
    is_complex: bool
    names: tuple[str, ...]
    types: tuple[str, ...]
    points: int
    binary: bool


def read_raw(path: Path, *, partial: bool = False) -> list[Waveforms]:
    """Every plot of a raw file, binary or ASCII, in file order.

    Args:
        partial: the run was cut short. The last plot then takes the rows that the file holds, whatever its header says,
            and is flagged. A header that was never finished gives no plot.
    Raises:
        RawFileError: no such file, a damaged header, or fewer rows than the header says.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as missing:
        raise RawFileError(f"{path}: no raw file; the run wrote nothing, see its log") from missing
    plots, at = [], 0
    while content[at:at + 512].strip():
        try:
            header, at = _header(path, content, at)
        except RawFileError:
            if partial:  # killed while the header was in the buffer
                break
            raise
        data, at = (_binary if header.binary else _ascii)(path, content, at, header, partial)
        if not header.points and not partial and len(data):
            raise RawFileError(f"{path}: plot {header.plot!r} says 0 points and holds {len(data)}; the run was killed, "
                               "read it as partial")
        cut = partial and not content[at:].strip()
        if header.is_complex and header.names[0] == "frequency":
            data = data.copy()
            data[:, 0] = data[:, 0].real  # ngspice leaves what was in the memory in its imaginary part
        plots.append(Waveforms(plot=header.plot, title=header.title, names=header.names, data=data, partial=cut,
                               types=header.types))
    return plots


def split_raw(path: Path) -> list[bytes]:
    """A raw file cut at its plots, each a whole raw file of its own.

    Raises:
        RawFileError: as :func:`read_raw`.
    """
    content = path.read_bytes()
    parts, at = [], 0
    while content[at:at + 512].strip():
        start = at
        header, at = _header(path, content, at)
        _, at = (_binary if header.binary else _ascii)(path, content, at, header, False)
        parts.append(content[start:at])
    return parts


def _header(path: Path, content: bytes, at: int) -> tuple[_Header, int]:
    ends = [(end, marker) for marker in (b"Binary:\n", b"Values:\n") if (end := content.find(marker, at)) >= 0]
    if not ends:
        raise RawFileError(f"{path}: byte {at}: no 'Binary:' or 'Values:' line; not a raw file, or cut in its header")
    end, marker = min(ends)
    top, _, table = content[at:end].decode("utf-8", "replace").partition("Variables:\n")
    fields = {key.strip().lower(): value.strip() for key, _, value in (row.partition(":") for row in top.splitlines())}
    try:
        count, points = int(fields["no. variables"]), int(fields["no. points"] or 0)  # VACASK leaves it blank until its end
        rows = [row.split() for row in table.splitlines() if row.strip()]
        names = [row[1].lower() for row in rows]
        names[0] = _SWEEP.sub(r"\1", names[0])
        plot, flags = fields["plotname"], fields["flags"].lower().split()
    except (KeyError, ValueError, IndexError) as damaged:
        raise RawFileError(f"{path}: byte {at}: damaged header ({damaged!r}); run the deck again") from damaged
    if len(names) != count or not count:
        raise RawFileError(f"{path}: plot {plot!r}: header says {count} vectors and lists {len(names)}; run it again")
    header = _Header(title=fields.get("title", ""), plot=plot, is_complex="complex" in flags, names=tuple(names),
                     types=tuple(row[2].lower() if len(row) > 2 else "" for row in rows), points=points,
                     binary=marker.startswith(b"B"))
    return header, end + len(marker)


def _binary(path: Path, content: bytes, at: int, header: _Header, partial: bool) -> tuple[np.ndarray, int]:
    kind = np.dtype(np.complex128 if header.is_complex else np.float64)
    row = kind.itemsize * len(header.names)
    held = (len(content) - at) // row
    rows = header.points or (held if b"Plotname:" not in content[at:] else 0)
    if held < rows:
        if not partial:
            raise _short(path, header, held)
        rows = held
    data = np.frombuffer(content, kind, rows * len(header.names), at).reshape(rows, len(header.names))
    end = at + rows * row
    return data, len(content) if partial and rows == held else end


def _ascii(path: Path, content: bytes, at: int, header: _Header, partial: bool) -> tuple[np.ndarray, int]:
    end = content.find(b"Title:", at)
    end = len(content) if end < 0 else end
    width = len(header.names) + 1  # the row's number stands before its values
    words = content[at:end].split()
    rows = len(words) // width
    if not partial and (rows < header.points or len(words) % width):
        raise _short(path, header, rows)
    try:
        values = [_value(word, header.is_complex) for n, word in enumerate(words[:rows * width]) if n % width]
    except ValueError as damaged:
        raise RawFileError(f"{path}: plot {header.plot!r}: {damaged}; run the deck again") from damaged
    return np.array(values).reshape(rows, len(header.names)), end


def _value(word: bytes, is_complex: bool) -> float | complex:
    if not is_complex:
        return float(word)
    real, _, imaginary = word.partition(b",")
    return complex(float(real), float(imaginary))


def _short(path: Path, header: _Header, held: int) -> RawFileError:
    return RawFileError(f"{path}: plot {header.plot!r} says {header.points} points and holds {held}; the run was cut "
                        "short (disk full or killed), read it as partial")
