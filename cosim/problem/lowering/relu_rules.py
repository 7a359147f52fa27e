"""Piecewise linear functions in terms of ReLU, each exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from cosim.problem.lowering.basis import AffineTensor, Basis

INFINITE = float("inf")


def _combined(basis: Basis, *terms: tuple[Any, AffineTensor]) -> AffineTensor:
    """Sum of factor times tensor; a factor is a number or a constant tensor."""
    rows = [factor * value.widened(1 + len(basis)) for factor, value in terms]
    return AffineTensor(rows=sum(torch.broadcast_tensors(*rows)))


def _shifted(value: AffineTensor, by: float) -> AffineTensor:
    rows = value.rows.clone()
    rows[0] += by
    return AffineTensor(rows=rows)


def relu(basis: Basis, x: AffineTensor) -> AffineTensor:
    """A neuron each."""
    return basis.relu(x)


def leaky_relu(basis: Basis, x: AffineTensor, slope: float | Tensor = 0.01) -> AffineTensor:
    """relu(x) - slope relu(-x): nothing has to be carried past the neurons."""
    positive, negative = basis.relu(x), basis.relu(AffineTensor(rows=-x.rows))
    return _combined(basis, (1.0, positive), (-slope, negative))


def absolute(basis: Basis, x: AffineTensor) -> AffineTensor:
    """relu(x) + relu(-x)."""
    return leaky_relu(basis, x, -1.0)


def maximum(basis: Basis, a: AffineTensor, b: AffineTensor) -> AffineTensor:
    """b + relu(a - b)."""
    return _combined(basis, (1.0, b), (1.0, basis.relu(_combined(basis, (1.0, a), (-1.0, b)))))


def minimum(basis: Basis, a: AffineTensor, b: AffineTensor) -> AffineTensor:
    """b - relu(b - a)."""
    return _combined(basis, (1.0, b), (-1.0, basis.relu(_combined(basis, (1.0, b), (-1.0, a)))))


def clamp(basis: Basis, x: AffineTensor, low: float | None = None, high: float | None = None) -> AffineTensor:
    """low + relu(x - low) - relu(x - high); of one limit alone the other term is left out."""
    low = None if low in (None, -INFINITE) else float(low)
    high = None if high in (None, INFINITE) else float(high)
    if low is None and high is None:
        return x
    if low is None:  # high - relu(high - x)
        beyond = basis.relu(_shifted(AffineTensor(rows=-x.rows), high))
        return _shifted(_combined(basis, (-1.0, beyond)), high)
    above = basis.relu(_shifted(x, -low))
    if high is None:
        return _shifted(above, low)
    if high < low:  # as torch: the upper limit wins
        return _shifted(_combined(basis, (0.0, above)), high)
    return _shifted(_combined(basis, (1.0, above), (-1.0, basis.relu(_shifted(x, -high)))), low)


def hardtanh(basis: Basis, x: AffineTensor, low: float = -1.0, high: float = 1.0) -> AffineTensor:
    """A clamp; ReLU6 is one too."""
    return clamp(basis, x, low, high)


def largest(basis: Basis, x: AffineTensor, dims: Sequence[int] = (), keepdim: bool = False) -> AffineTensor:
    """amax over dimensions, two by two."""
    return _over(basis, x, dims, keepdim, maximum)


def smallest(basis: Basis, x: AffineTensor, dims: Sequence[int] = (), keepdim: bool = False) -> AffineTensor:
    """amin over dimensions, two by two."""
    return _over(basis, x, dims, keepdim, minimum)


def _over(basis: Basis, x: AffineTensor, dims: Sequence[int], keepdim: bool, choose: Callable) -> AffineTensor:
    rank = len(x.shape)
    for dim in sorted((d % rank for d in (dims or range(rank))), reverse=True):
        parts = [AffineTensor(rows=part) for part in x.rows.unbind(dim + 1)]
        x = reduce(lambda a, b: choose(basis, a, b), parts)
        if keepdim:
            x = AffineTensor(rows=x.rows.unsqueeze(dim + 1))
    return x


RULES: dict[str, Callable[..., AffineTensor]] = {
    "relu": relu, "leaky_relu": leaky_relu, "prelu": leaky_relu, "_prelu_kernel": leaky_relu, "abs": absolute,
    "maximum": maximum, "minimum": minimum, "clamp": clamp, "hardtanh": hardtanh, "amax": largest, "amin": smallest,
}


def clamp_min(basis: Basis, x: AffineTensor, low: float) -> AffineTensor:
    """A lower limit alone."""
    return clamp(basis, x, low)


def clamp_max(basis: Basis, x: AffineTensor, high: float) -> AffineTensor:
    """An upper limit alone."""
    return clamp(basis, x, None, high)


RULES |= {"clamp_min": clamp_min, "clamp_max": clamp_max}
