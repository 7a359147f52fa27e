"""Result files: written whole or not at all, and known again by the inputs they came from."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd

from cosim.errors import ResultsError

ABANDONED = 3600.0  # s, no file takes as long to write


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, then rename: an interrupted run or a full disk leaves the earlier file as it was.

    Raises:
        ResultsError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):  # of a process that was killed while it wrote
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
        partial.touch(exist_ok=False)  # a new file, never the target of a link that a stranger left there
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}; the earlier file, if any, is unchanged. "
                           "Free space or choose another folder, then run again") from error
    finally:
        with suppress(NotADirectoryError):  # a file has the folder's name, which was said above
            partial.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Make a folder for results, so that hours of simulation do not end at a name that cannot be written.

    Raises:
        ResultsError: something else has that name, or it is not ours to write.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        allowed = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise ResultsError(f"{folder} cannot be a folder for results: {error.strerror or error}; name another one") from error
    if not allowed:
        raise ResultsError(f"{folder} cannot be written; name another folder, or change its permissions")


def write_json(path: Path, content: Mapping) -> None:
    """JSON, indented, NaN refused."""
    write_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def write_frame(path: Path, frame: pd.DataFrame, key: str, **facts) -> None:
    """Parquet with the key of the inputs, and further facts, in its metadata (``attrs`` of the frame read back)."""
    frame = frame.copy()
    frame.attrs = {"key": key, **facts}
    write_atomically(path, frame.to_parquet(None, index=False))


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """CSV, every digit of every number; a column's unit, from ``attrs``, stands behind its name in the heading."""
    units = frame.attrs.get("units", {})
    heading = [f"{name} [{units[name]}]" if name in units else name for name in frame.columns]
    write_atomically(path, frame.to_csv(index=False, header=heading, lineterminator="\n").encode())
    return path


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet result.

    Raises:
        ResultsError: missing or damaged; says what to run.
    """
    if not path.is_file():
        raise ResultsError(f"{path} does not exist; simulate first")
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} is damaged ({error}); delete it and run again") from error


def is_current(path: Path, key: str) -> bool:
    """True when the file exists, can be read and was made from inputs of this key."""
    if not path.is_file():
        return False
    try:
        return read_frame(path).attrs.get("key") == key
    except ResultsError:
        return False


def content_key(parts: Iterable[bytes | str]) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists of parts give one key by accident."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def is_text_current(path: Path, key: str) -> bool:
    """The same for a text file, whose key stands in a hidden file beside it."""
    key_file = path.with_name(f".{path.name}.key")
    return path.is_file() and key_file.is_file() and key_file.read_text() == key


def write_text_key(path: Path, key: str) -> None:
    """Remember what a text file was made from."""
    write_atomically(path.with_name(f".{path.name}.key"), key.encode())
