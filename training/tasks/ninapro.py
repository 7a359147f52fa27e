"""Gestures from forearm electrodes: Ninapro database 1, which you download and name.

Atzori et al., Sci. Data 1, 140053 (2014). A file S<subject>_A1_E<exercise>.mat holds, at 100 Hz, `emg` (rows, 10) [rectified,
volts of the amplifier], `restimulus` (rows, 1), the movement after relabelling, 0 at rest, and `rerepetition` (rows, 1), 1 to
10. Exercise B (E2) has the 17 classes of the literature. Repetitions 2, 5 and 7 are its usual test.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from training.errors import TaskError
from training.tasks.windows import Windows, cut, split

RATE = 100.0  # Hz
CHANNELS = 10
TEST_REPETITIONS = (2, 5, 7)
_UNREADABLE = (ValueError, NotImplementedError, OSError, TypeError, EOFError, MatReadError, zlib.error)  # scipy's repertoire


def gestures(paths: Sequence[Path | str], *, window: float = 0.15, stride: float = 0.05,
             test: Sequence[int] = TEST_REPETITIONS) -> Windows:
    """Windows of one or more files.

    Args:
        paths: .mat files; their movements are numbered as they are in the files, so give those of one exercise.
        window: s, 0.12 to 0.18 in the literature.
        stride: s from window to window.
        test: repetitions that are held out; the others train.
    Raises:
        TaskError: a file that is missing, damaged, of another layout, or without a movement.
    """
    length, every = round(window * RATE), max(1, round(stride * RATE))
    pieces: dict[bool, list[tuple[np.ndarray, int]]] = {True: [], False: []}
    movements: set[int] = set()
    for path in map(Path, paths):
        emg, stimulus, repetition = _read(path)
        changes = np.flatnonzero((np.diff(stimulus) != 0) | (np.diff(repetition) != 0)) + 1
        for rows in np.split(np.arange(len(stimulus)), changes):
            movement = int(stimulus[rows[0]])
            if movement:
                movements.add(movement)
                pieces[int(repetition[rows[0]]) in test].append((cut(emg[rows], length, every), movement))
    if not movements:
        raise TaskError(f"{', '.join(map(str, paths)) or 'no file'}: no movement in any file; give files of Ninapro database 1")
    number = {movement: k for k, movement in enumerate(sorted(movements))}
    sides = {held: [(windows, number[movement]) for windows, movement in kept] for held, kept in pieces.items()}
    return split(sides[False], sides[True], tuple(f"movement {movement}" for movement in number), "Ninapro DB1")


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """emg (rows, 10), movement (rows,), repetition (rows,)."""
    if not path.is_file():
        raise TaskError(f"{path} does not exist; download Ninapro database 1 and name its .mat files")
    try:
        content = scipy.io.loadmat(path)
    except _UNREADABLE as error:
        raise TaskError(f"{path} is no .mat file that can be read ({error}); download it again") from error
    missing = [name for name in ("emg", "restimulus", "rerepetition") if name not in content]
    if missing:
        raise TaskError(f"{path} has no {', '.join(missing)}; it is no file of Ninapro database 1")
    emg = np.asarray(content["emg"], dtype=np.float64)
    stimulus, repetition = (np.asarray(content[name]).ravel().astype(int) for name in ("restimulus", "rerepetition"))
    if emg.ndim != 2 or emg.shape[1] != CHANNELS or not len(emg) == len(stimulus) == len(repetition):
        raise TaskError(f"{path}: emg {emg.shape}, restimulus {stimulus.shape}, rerepetition {repetition.shape}; database 1 "
                        f"has (rows, {CHANNELS}) and as many rows of the others")
    return emg, stimulus, repetition
