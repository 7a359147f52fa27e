"""The decks of the commit before the work on speed (305537e of 28 November 2026), against which `make speed` measures.

``before.tar.xz`` holds, as they were compiled then: the HP twin, current drive, flat (``hp_flat``, every cell) and with
reduced arrays (``hp_macro``); the Lorenz96 twin of F = 6, its lag taken out (``lorenz96``); and the untrained 2-47-60-1
network (``twelve_tiles``). They bring their own parts, and run with the op-amp of their ``.lib``.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).with_name("before.tar.xz")


def unpack(folder: Path) -> Path:
    """The decks below a folder; returns it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder
