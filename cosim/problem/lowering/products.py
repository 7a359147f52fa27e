"""Products of signals in pieces: a b = ((a + b)^2 - (a - b)^2) / 4, two functions of one number each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.basis import AffineTensor, Basis
from cosim.problem.lowering.curves import broadcast_rows, grid, in_pieces
from cosim.problem.lowering.program import DTYPE, Ref, Step


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """A value in affine form and what it is at samples of the region."""

    value: AffineTensor
    samples: Tensor  # (m, *shape)

    def centred(self, dims: tuple[int, ...]) -> Seen:
        """Less its mean over the last dimensions."""
        return Seen(value=AffineTensor(rows=self.value.rows - self.value.rows.mean(dims, keepdim=True)),
                    samples=self.samples - self.samples.mean(dims, keepdim=True))

    def mapped(self, function: Callable[[Tensor], Tensor], tolerance: float, basis: Basis) -> Seen:
        """A function of every entry, in pieces."""
        x = grid(self.samples)
        y = function(torch.from_numpy(x)).numpy()
        return Seen(value=in_pieces(self.value, x, y, tolerance, basis), samples=function(self.samples))


def product(a: Seen, b: Seen, tolerance: float, basis: Basis) -> Seen:
    """Entry by entry, broadcast; by squares of the sum and the difference of both, each in parts of what it reaches."""
    shape = torch.broadcast_shapes(a.value.shape, b.value.shape)
    if a.value.is_constant or b.value.is_constant:
        constant, other = (a, b) if a.value.is_constant else (b, a)
        factor, moving = constant.value.rows[0], other.value.widened(1 + len(basis))
        return Seen(value=AffineTensor(rows=factor * broadcast_rows(moving, shape)),
                    samples=factor * broadcast_rows(other.samples, shape))
    rows, points, middles, reaches = [], [], [], []
    for factor in (a, b):
        low, high = (bound.broadcast_to(shape) for bound in (factor.samples.amin(0), factor.samples.amax(0)))
        middles.append((low + high) / 2)
        reaches.append(torch.where(high > low, (high - low) / 2, 1.0))
        rows.append(broadcast_rows(factor.value.widened(1 + len(basis)), shape))
        points.append((broadcast_rows(factor.samples, shape) - middles[-1]) / reaches[-1])
    total = middles[1] * rows[0] + middles[0] * rows[1]
    total[0] -= middles[0] * middles[1]
    for sign in (1.0, -1.0):
        both = rows[0] / reaches[0] + sign * rows[1] / reaches[1]
        both[0] -= middles[0] / reaches[0] + sign * middles[1] / reaches[1]
        side = Seen(value=AffineTensor(rows=both), samples=points[0] + sign * points[1])
        square = side.mapped(torch.square, tolerance, basis).value.rows
        total = AffineTensor(rows=total).widened(1 + len(basis)) + sign / 4 * reaches[0] * reaches[1] * square
    return Seen(value=AffineTensor(rows=total), samples=broadcast_rows(a.samples, shape) * broadcast_rows(b.samples, shape))


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What a rule works with."""

    step: Step
    values: Mapping[str, Any]  # by name; affine tensors and plain ones
    samples: Mapping[str, Tensor]
    tolerance: float
    basis: Basis

    def argument(self, argument: Any) -> Seen:
        """An argument of the step; a constant is one sample."""
        if isinstance(argument, Ref):
            value = self.values[argument.name]
            if isinstance(value, AffineTensor):
                return Seen(value=value, samples=self.samples[argument.name])
            argument = value
        plain = torch.as_tensor(argument, dtype=DTYPE)
        return Seen(value=AffineTensor(rows=plain[None]), samples=plain[None])

    def product(self, a: Seen, b: Seen) -> Seen:
        return product(a, b, self.tolerance, self.basis)

    def mapped(self, value: Seen, function: Callable[[Tensor], Tensor]) -> Seen:
        return value.mapped(function, self.tolerance, self.basis)


def _mul(setting: Setting) -> AffineTensor:
    a, b = (setting.argument(argument) for argument in setting.step.args[:2])
    return setting.product(a, b).value


def _div(setting: Setting) -> AffineTensor:
    a, b = (setting.argument(argument) for argument in setting.step.args[:2])
    if bool(((b.samples.amin(0) <= 0) & (b.samples.amax(0) >= 0)).any()):
        raise UnsupportedModelError("its divisor passes zero in the region that the runs visit; divide by what "
                                    " stays away from zero")
    return setting.product(a, setting.mapped(b, torch.reciprocal)).value


def _mm(setting: Setting) -> AffineTensor:
    """Matrix products with or without a batch: rows by columns, summed."""
    a, b = (setting.argument(argument) for argument in setting.step.args[:2])
    a = Seen(value=AffineTensor(rows=a.value.rows.unsqueeze(-1)), samples=a.samples.unsqueeze(-1))
    b = Seen(value=AffineTensor(rows=b.value.rows.unsqueeze(-3)), samples=b.samples.unsqueeze(-3))
    return AffineTensor(rows=setting.product(a, b).value.rows.sum(-2))


def _dot(setting: Setting) -> AffineTensor:
    return AffineTensor(rows=_mul(setting).rows.sum(-1))


def _layer_norm(setting: Setting) -> tuple[AffineTensor]:
    """(x - mean) / sqrt(variance + eps) w + b; of its three results the first alone, which is what a forward takes."""
    x, shape, weight, bias, eps = setting.step.args
    dims = tuple(range(-len(shape), 0))
    centred = setting.argument(x).centred(dims)
    squares = setting.mapped(centred, torch.square)
    variance = Seen(value=AffineTensor(rows=squares.value.rows.mean(dims, keepdim=True)),
                    samples=squares.samples.mean(dims, keepdim=True))
    normed = setting.product(centred, setting.mapped(variance, lambda v: torch.rsqrt(v + eps)))
    if weight is not None:
        normed = setting.product(normed, setting.argument(weight))
    rows = normed.value.rows.clone()
    if bias is not None:
        rows[0] += setting.argument(bias).value.rows[0]
    return (AffineTensor(rows=rows),)


PRODUCTS: dict[str, Callable[[Setting], Any]] = {
    "mul": _mul, "div": _div, "true_divide": _div, "mm": _mm, "bmm": _mm, "dot": _dot, "mv": _dot,
    "native_layer_norm": _layer_norm}
