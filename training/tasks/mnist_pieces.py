"""MNIST in pieces: a digit is shown in frames that hold disjoint random subsets of its pixels, and is named at the end.

At a visibility of 25 % there are four frames; each pixel is in exactly one of them, and together they make the digit. Which
pixels a frame holds is drawn anew for every digit, so no single frame and no fixed mask tells the class; a network has to
remember. A pixel that is not shown is 0, as a dark one is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.errors import TaskError
from training.tasks.digits import PIXELS, Digits

VISIBILITIES = (0.5, 0.25, 0.2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """The task at one visibility; frames are made when they are asked for."""

    digits: Digits
    visibility: float  # part of the pixels a frame holds; 1 over it is the number of frames
    gain: float = 1.0  # a pixel of 1 is shown as this

    def __post_init__(self):
        if not 0.0 < self.visibility <= 1.0 or abs(1.0 / self.visibility - round(1.0 / self.visibility)) > 1e-9:
            raise TaskError(f"visibility = {self.visibility}; give one over a whole number of frames, e.g. 0.5, 0.25 or 0.2")

    @property
    def frames(self) -> int:
        return round(1.0 / self.visibility)

    def shown(self, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """Frames (digits, frames, 784) of digits (digits, 784)."""
        order = torch.rand(pixels.shape, generator=draw).argsort(1)
        frame = torch.empty_like(order).scatter_(1, order, torch.arange(PIXELS).expand_as(order)) * self.frames // PIXELS
        masks = frame[:, None] == torch.arange(self.frames)[:, None]
        return self.gain * pixels[:, None] * masks

    def training(self):
        """Inputs as `train_on_sequences` takes them, new subsets at each step, and the classes."""
        pixels, classes = (torch.from_numpy(np.ascontiguousarray(part)) for part in self.digits.train)
        return (lambda chosen, draw: self.shown(pixels[chosen], draw)), classes

    def testing(self, *, seed: int = 0, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Frames of the test digits, or the first `count` of them, and their classes; the same seed shows the same frames."""
        pixels, classes = (torch.from_numpy(np.ascontiguousarray(part[:count])) for part in self.digits.test)
        return self.shown(pixels, torch.Generator().manual_seed(seed)), classes


def accuracy(outputs: Tensor, classes: Tensor) -> float:
    """Part of the digits whose largest output (digits, frames, 10) at the last frame is their class."""
    return float((outputs[:, -1].argmax(1) == classes).float().mean())
