"""The cache of compiled modules: one file each, known again by what it was made from and by its own hash.

A module is code that ngspice runs, so a file is believed only if nobody else could have written it: folder and file are this
user's, nobody else may write to them, and neither is a link. The first line of a file is the hash of the rest, so that a
damaged one is noticed and made again. Callers get the bytes, not the path: what ran is what was checked.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

LARGEST = 16 * 2**20  # bytes of a module; ours has 40 kB


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/cosim``, else ``~/.cache/cosim``; None where there is no home folder.

    A relative ``XDG_CACHE_HOME`` counts as none, as its specification asks: it would point into whatever folder the command
    was started in, which may be a stranger's.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        return Path(named) / "cosim"
    home = os.path.expanduser("~")
    return Path(home) / ".cache" / "cosim" if os.path.isabs(home) else None


def read_module(folder: Path, key: str) -> bytes | None:
    """The module of that key; None where there is none, or none that can be believed: it is then made anew."""
    path = path_of(folder, key)
    try:
        if _untrusted(os.lstat(folder), folder, folder=True):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # it is not there, it is a link, it may not be read: write_module says what cannot be mended
        return None
    with os.fdopen(descriptor, "rb") as file:
        if _untrusted(os.fstat(descriptor), path, folder=False):
            return None
        digest, _, module = file.read(LARGEST).partition(b"\n")
    return module if digest == _digest(module) else None


def write_module(folder: Path, key: str, module: bytes) -> str:
    """Keep a module, whole or not at all; why it could not be kept, empty where it was."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if problem := _untrusted(os.lstat(folder), folder, folder=True):
            return problem
        descriptor, partial = tempfile.mkstemp(prefix=".partial-", dir=folder)  # a new file, 0600, never through a link
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_digest(module) + b"\n" + module)
            os.replace(partial, path_of(folder, key))
        finally:
            with suppress(FileNotFoundError):  # it has its name now
                os.unlink(partial)
    except OSError as failed:
        return f"{folder} cannot be written ({failed.strerror})"
    return ""


def path_of(folder: Path, key: str) -> Path:
    """Where a module is kept."""
    return folder / f"opa4990-{key[:32]}.module"


def _digest(module: bytes) -> bytes:
    return hashlib.sha256(module).hexdigest().encode()


def _untrusted(about: os.stat_result, path: Path, *, folder: bool) -> str:
    """Why what is there cannot be believed, empty where it can."""
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(about.st_mode):
        return f"{path} is a link or another thing than a {'folder' if folder else 'file'}; remove it"
    if about.st_uid != os.geteuid():
        return f"{path} belongs to another user; set XDG_CACHE_HOME to a folder of your own"
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} can be written by other users; run 'chmod go-w {path}'"
    return ""
