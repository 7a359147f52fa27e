"""Recordings of movements cut into windows, each with the class of the movement: what the gesture tasks share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.errors import TaskError


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Windows of a split, normalised by the mean and standard deviation of the training windows' channels."""

    train: tuple[Tensor, Tensor]  # (windows, steps, channels) float32, classes (windows,) int64
    test: tuple[Tensor, Tensor]
    classes: tuple[str, ...]
    source: str


def cut(signal: np.ndarray, length: int, stride: int) -> np.ndarray:
    """Windows (n, length, channels) of a signal (rows, channels); a rest that fills none is left out."""
    if length < 1 or stride < 1:
        raise TaskError(f"windows of {length} rows every {stride}; give 1 or more of both")
    starts = np.arange(0, len(signal) - length + 1, stride)
    return signal[starts[:, None] + np.arange(length)]


def split(train: list[tuple[np.ndarray, int]], test: list[tuple[np.ndarray, int]], classes: tuple[str, ...],
          source: str) -> Windows:
    """Windows from pieces (windows (n, length, channels), class) on both sides of a split.

    Raises:
        TaskError: a side has no window, or a value is not finite.
    """
    sides = {}
    for name, pieces in (("train", train), ("test", test)):
        kept = [(windows, label) for windows, label in pieces if len(windows)]
        if not kept:
            raise TaskError(f"{source}: no window to {name} on; take shorter windows or other repetitions")
        x = np.concatenate([windows for windows, _ in kept])
        y = np.concatenate([np.full(len(windows), label) for windows, label in kept])
        if not np.isfinite(x).all():
            raise TaskError(f"{source}: a {name} window holds a value that is no finite number")
        sides[name] = (x, y)
    mean, std = sides["train"][0].mean((0, 1)), sides["train"][0].std((0, 1))
    if (std <= 0.0).any():
        raise TaskError(f"{source}: channel {int(np.argmin(std))} is constant; leave it out")
    ready = {name: (torch.from_numpy(((x - mean) / std).astype(np.float32)), torch.from_numpy(y.astype(np.int64)))
             for name, (x, y) in sides.items()}
    return Windows(classes=classes, source=source, **ready)
