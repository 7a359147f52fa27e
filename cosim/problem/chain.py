"""Models that are a plain chain of Linear and ReLU, which need no recording; and the wrappers around models."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import nn
from torch.nn.modules import module as module_hooks

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")


def unwrapped(model: Any) -> Any:
    """The module inside torch.compile and DataParallel, which compute the same."""
    while True:
        inside = getattr(model, "_orig_mod", None)
        if inside is None and isinstance(model, nn.DataParallel):
            inside = model.module
        if inside is None:
            return model
        model = inside


def plain_chain(model: Any) -> nn.Sequential | None:
    """A Sequential of Linear and ReLU that computes just that when it is called; None: the model is something else.

    Subclasses, hooks and parametrisations may change what a call computes, so that a module with any of them is none. A
    Linear alone is a chain of one.
    """
    if type(model) is nn.Linear:
        return nn.Sequential(model) if not (_hooked(model) or model.weight.is_complex()) else None
    if type(model) is not nn.Sequential or not len(model) or _hooked(model):
        return None
    if any(type(layer) not in (nn.Linear, nn.ReLU) or _hooked(layer) for layer in model):
        return None
    kinds = [type(layer) for layer in model]
    if kinds[0] is nn.ReLU or any(a is b is nn.ReLU for a, b in pairwise(kinds)):
        return None  # a ReLU of the inputs, or of a ReLU: lowered like anything else
    if any(layer.weight.is_complex() for layer in model if type(layer) is nn.Linear):
        return None
    return model


def _hooked(module: nn.Module) -> bool:
    return any(getattr(module, name) for name in _HOOKS) or "forward" in vars(module) or bool(
        module_hooks._global_forward_hooks or module_hooks._global_forward_pre_hooks)
