"""The stand-in for gestures: seven shoulder exercises from a watch, six channels of acceleration and rotation at 50 Hz.

Burns et al., Physiol. Meas. 39, 075007 (2018). The data come with the optional package seglearn (`pip install seglearn`); they
are movements of an arm, not signals of its muscles, and results on them are labelled as such. Subjects of the test are not in
the training.
"""

from __future__ import annotations

import numpy as np

from training.errors import TaskError
from training.tasks.windows import Windows, cut, split

RATE = 50.0  # Hz


def watch(*, window: float = 1.0, stride: float = 0.5, thin: int = 2, test_subjects: int = 5) -> Windows:
    """Windows of the exercises.

    Args:
        window, stride: s.
        thin: keep every thin-th row.
        test_subjects: how many subjects, the last by number, are held out.
    Raises:
        TaskError: seglearn is not installed, or its data are laid out in another way.
    """
    try:
        from seglearn.datasets import load_watch
    except ImportError as error:
        raise TaskError(f"seglearn, which brings the watch's data, cannot be imported ({error}); `pip install "
                        "seglearn`") from error
    return windows_of(load_watch(), window=window, stride=stride, thin=thin, test_subjects=test_subjects)


def windows_of(data: dict, *, window: float = 1.0, stride: float = 0.5, thin: int = 2, test_subjects: int = 5) -> Windows:
    """The same from data as seglearn gives them: X (list of (rows, 6)), y, subject, y_labels."""
    try:
        signals, labels, subjects, names = data["X"], np.asarray(data["y"]), np.asarray(data["subject"]), data["y_labels"]
    except (KeyError, TypeError) as error:
        raise TaskError(f"seglearn's watch data have no {error}; install seglearn 1.2") from error
    people = np.unique(subjects)
    if not 0 < test_subjects < len(people):
        raise TaskError(f"test_subjects = {test_subjects} of {len(people)}; hold out at least one, and leave one")
    if thin < 1:
        raise TaskError(f"thin = {thin}; keep every row (1) or fewer")
    held = set(people[-test_subjects:].tolist())
    length, every = round(window * RATE / thin), max(1, round(stride * RATE / thin))
    pieces: dict[bool, list[tuple[np.ndarray, int]]] = {True: [], False: []}
    for signal, label, subject in zip(signals, labels, subjects, strict=True):
        pieces[subject in held].append((cut(np.asarray(signal, dtype=np.float64)[::thin], length, every), int(label)))
    return split(pieces[False], pieces[True], tuple(map(str, names)), "seglearn watch (stand-in for gestures)")
