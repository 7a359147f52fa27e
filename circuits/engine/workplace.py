"""A private folder for one run, gone afterwards; also, later, that of a run whose process was killed. What ngspice finds in it:
a home of its own and a start-up file of ours."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from circuits.errors import FailureKind, SimulationError

PREFIX = "cosim-run-"
LOCK = "lock"
YOUNG = 60.0  # s, a folder may stand this long before its lock is taken
_STARTUP = Path(__file__).resolve().parent  # where our own spinit is


@contextmanager
def workplace(deck: Path) -> Iterator[Path]:
    """A new folder below TMPDIR for the run of ``deck``, removed on leaving.

    A killed process leaves its folder, and a raw file may be large. So each folder holds a file that its process keeps
    locked, and each new run removes folders whose lock is free. A lock, not a process number: those are reused, and mean
    nothing between containers that share a disk.

    Raises:
        SimulationError: disk_full, no folder can be made there.
    """
    parent = Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    try:
        made = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    except OSError as failed:
        raise _no_room(parent, failed, deck) from failed
    with made as name:
        descriptor = _lock(Path(name), deck)
        try:
            yield Path(name)
        finally:
            os.close(descriptor)


def write_text(path: Path, text: str, deck: Path) -> None:
    """A file in the working folder of the run of ``deck``.

    Raises:
        SimulationError: disk_full.
    """
    write_bytes(path, text.encode("utf-8"), deck)


def write_bytes(path: Path, content: bytes, deck: Path) -> None:
    """The same of a file that is no text.

    Raises:
        SimulationError: disk_full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as failed:
        raise _no_room(path.parent, failed, deck) from failed


def environment(folder: Path, lines: Sequence[str], deck: Path) -> dict[str, str]:
    """Environment of an engine's process in the working folder of the run of ``deck``.

    Args:
        lines: further lines of the start-up file, which load what the deck needs.
    """
    startup = _STARTUP
    if lines:
        startup = folder / "scripts"
        text = (_STARTUP / "spinit").read_text(encoding="utf-8").rstrip("\n")
        write_text(startup / "spinit", "\n".join([text, *lines, ""]), deck)
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder / "home"), "TMPDIR": str(folder),
           "LC_ALL": "C", "OMP_NUM_THREADS": "1", "SPICE_SCRIPTS": str(startup)}
    if "LD_LIBRARY_PATH" in os.environ:  # an ngspice of the user's own may need it
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return env


def _no_room(folder: Path, failed: OSError, deck: Path) -> SimulationError:
    return SimulationError(f"working folder {folder}: {failed.strerror}; free space there or set TMPDIR",
                           kind=FailureKind.DISK_FULL, deck=deck)


def _lock(folder: Path, deck: Path) -> int:
    try:
        descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as failed:
        raise _no_room(folder, failed, deck) from failed
    return descriptor


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            about = folder.lstat()
            if about.st_uid != os.getuid() or time.time() - about.st_mtime < YOUNG or folder.is_symlink():
                continue
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # another run removed it meanwhile, or it is not one of ours
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # its run goes on
            pass
        finally:
            os.close(descriptor)
