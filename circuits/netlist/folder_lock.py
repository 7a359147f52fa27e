"""A lock that admits one writer at a time to a folder of decks."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP)  # what NFS and similar file systems answer for a folder


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Make the folder, wait until no other process writes there, and keep other processes waiting meanwhile.

    The folder itself is locked, so no lock file stays among the decks, and a killed process holds no lock. On a network disk
    that cannot lock folders nothing keeps two writers apart; the folder is used all the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as failed:
            if failed.errno not in NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)
