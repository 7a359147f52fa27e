"""A private folder for one run, gone afterwards; also, later, that of a run whose process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "cosim-run-"
LOCK = "lock"
YOUNG = 60.0  # s, a folder may stand this long before its lock is taken


@contextmanager
def workplace() -> Iterator[Path]:
    """A new folder below TMPDIR, removed on leaving.

    A killed process leaves its folder, and a raw file may be large. So each folder holds a file that its process keeps
    locked, and each new run removes folders whose lock is free. A lock, not a process number: those are reused, and mean
    nothing between containers that share a disk.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
        descriptor = os.open(Path(made) / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(made)
        finally:
            os.close(descriptor)


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
