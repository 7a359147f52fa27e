"""The model's equations are written once, for tensors and for numpy arrays; what the two say differently is here.

Tensors carry gradients. Numpy computes the same several times faster where none are wanted: at these sizes the overhead of
each operation decides, which is ten times smaller there, and the logarithms and exponentials are faster too. Its arrays keep
the boards next to each other in memory (Fortran order), so that every operation runs along them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import torch

from cosim.behavioural.kernel.traced import Functions, Traced, traced_product, traced_side_by_side

Array = torch.Tensor | np.ndarray | Traced


def library(x: Array) -> ModuleType | type[Functions]:
    """What computes with x: torch, numpy, or what records; all have sqrt, log, exp, where and copysign."""
    return torch if isinstance(x, torch.Tensor) else np if isinstance(x, np.ndarray) else Functions


def nowhere(condition: Array) -> bool:
    """Whether a condition is known to hold nowhere."""
    return not isinstance(condition, Traced) and not condition.any()


def at_least(x: Array, low: float) -> Array:
    """The larger of x and low."""
    return x.clamp(min=low) if isinstance(x, torch.Tensor) else library(x).maximum(x, low)


def at_most(x: Array, high: float) -> Array:
    """The smaller of x and high."""
    return x.clamp(max=high) if isinstance(x, torch.Tensor) else library(x).minimum(x, high)


def product(matrix: Array, x: Array) -> Array:
    """Every board's matrix (boards or 1, outputs, inputs) times its vector (boards, inputs): (boards, outputs)."""
    if isinstance(x, torch.Tensor):
        return x @ matrix[0].T if len(matrix) == 1 else (matrix @ x[..., None])[..., 0]
    if isinstance(x, Traced):
        return traced_product(matrix, x)
    if len(matrix) == 1:
        return (matrix[0] @ x.T).T
    return np.einsum("boi,bi->bo", matrix, x)


def lines(x: Array, places: Sequence[int] | slice) -> Array:
    """Some of the lines of x (boards, lines), in the order of their places."""
    return x[:, places] if not isinstance(x, np.ndarray) or isinstance(places, slice) else x.T[places].T


def as_slice(places: Sequence[int]) -> Sequence[int] | slice:
    """The same places as a slice if they follow each other, which copies nothing."""
    first = places[0]
    return slice(first, first + len(places)) if list(places) == list(range(first, first + len(places))) else places


def side_by_side(first: Array, second: Array) -> Array:
    """The lines of both, (boards or 1, lines) each."""
    if isinstance(second, torch.Tensor):
        return torch.cat([first.expand(len(second), -1), second], dim=-1)
    if isinstance(second, Traced):
        return traced_side_by_side(first, second)
    count = first.shape[1]
    both = np.empty((count + second.shape[1], len(second)), dtype=second.dtype)
    both[:count], both[count:] = first.T, second.T
    return both.T


def where_only(chosen: Array, compute: Callable[..., Array], *given: Array) -> Array:
    """An elementwise function of what is given, which is as good as 0 but where chosen (boards, lines) holds.

    In numpy, which has no loop over all of it, it is asked there alone.
    """
    if not isinstance(chosen, np.ndarray):
        return compute(*given)
    places = np.flatnonzero(chosen.T)
    found = np.zeros(chosen.size, dtype=given[0].dtype)
    found[places] = compute(*(np.broadcast_to(x, chosen.shape).T.reshape(-1)[places] for x in given))
    return found.reshape(chosen.T.shape).T


def to_numpy(x: torch.Tensor) -> np.ndarray:
    """The same numbers, boards next to each other in memory."""
    return np.asfortranarray(x.detach().numpy())


def changed(part: Any, change: Callable[[Array], Array]) -> Any:
    """The same dataclass with every array in it, at any depth, changed."""
    if isinstance(part, Array):
        return change(part)
    if isinstance(part, tuple) and not hasattr(part, "_fields"):
        return tuple(changed(one, change) for one in part)
    if is_dataclass(part):
        return replace(part, **{field.name: changed(getattr(part, field.name), change) for field in fields(part)})
    return part


def arrays_of(part: Any) -> Iterator[Array]:
    """Every array in a dataclass, at any depth."""
    found: list[Array] = []
    changed(part, lambda x: (found.append(x), x)[1])
    return iter(found)
