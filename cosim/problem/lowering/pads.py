"""Circular padding written with slices: torch fills an empty tensor in place, which a recording cannot follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class CircularPads(TorchFunctionMode):
    """While it is open, ``pad(..., mode="circular")`` is made of slices and ``cat``; everything else is as ever."""

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if function is nn.functional.pad:
            given = dict(zip(("input", "pad", "mode"), args, strict=False)) | kwargs
            if given.get("mode") == "circular":
                return circular(given["input"], given["pad"])
        return function(*args, **kwargs)


def circular(x: Tensor, pads: Sequence[int]) -> Tensor:
    """Pad (before, after) of the last dimension, then of the one before it, and so on."""
    for number, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True), start=1):
        size = x.shape[-number]
        parts = [x.narrow(-number, size - before, before), x, x.narrow(-number, 0, after)]
        x = torch.cat(parts, dim=-number)
    return x
