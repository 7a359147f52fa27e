"""Operations that are affine in their tensors: run on the rows of an affine tensor as they are on a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cosim.problem.lowering.basis import AffineTensor
from cosim.problem.lowering.program import Ref, Step, apply, replaced

# Affine whatever they are given, in all of their tensors at once.
JOINTLY = frozenset("""
add sub rsub neg cat stack view _unsafe_view reshape expand flatten unsqueeze squeeze permute transpose t movedim swapaxes
slice select index index_select split split_with_sizes unbind alias clone contiguous detach lift_fresh lift_fresh_copy copy
_to_copy mean sum cumsum avg_pool1d avg_pool2d _adaptive_avg_pool2d adaptive_avg_pool2d constant_pad_nd flip roll repeat
slice_scatter select_scatter fill reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d tile tril triu
diagonal unfold
""".split())
# Affine in one of their tensors while the others are constant.
SEPARATELY = frozenset("""
mul div true_divide mm bmm matmul mv dot linear addmm baddbmm convolution native_batch_norm
_native_batch_norm_legit_no_training
""".split())
# Their value depends on the shape alone.
SHAPE_ONLY = frozenset("zeros_like ones_like full_like empty_like new_zeros new_ones new_empty".split())


def apply_affine(step: Step, values: dict[str, Any], n_rows: int) -> Any:
    """Value of an affine operation: an affine tensor, or a tuple of them.

    The constant row goes through the operation; of every other row only what it adds counts, so that a bias is not taken
    twice.

    Args:
        values: by name; affine tensors and plain ones.
        n_rows: of the result.
    """
    symbols: list[AffineTensor] = []

    def collect(ref: Ref) -> Any:
        if isinstance(values[ref.name], AffineTensor):
            symbols.append(values[ref.name])
        return ref

    replaced((step.args, dict(step.kwargs)), collect)

    def run(rows: tuple[Tensor, ...]) -> Any:
        left = iter(rows)
        return apply(step, lambda ref: next(left) if isinstance(values[ref.name], AffineTensor) else values[ref.name])

    stacked = tuple(symbol.widened(n_rows) for symbol in symbols)
    constant = run(tuple(rows[0] for rows in stacked))
    nothing = run(tuple(torch.zeros_like(rows[0]) for rows in stacked))
    used = [k for k in range(1, n_rows) if any(bool(rows[k].any()) for rows in stacked)]
    linear = _each(run, tuple(rows[used] for rows in stacked)) if used else None
    if isinstance(constant, Tensor):
        return _assemble(constant, nothing, linear, used, n_rows)
    parts = [None if linear is None else linear[number] for number in range(len(constant))]
    return tuple(_assemble(*pieces, used, n_rows) if _is_real(pieces[0]) else pieces[0]
                 for pieces in zip(constant, nothing, parts, strict=True))


def _is_real(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _each(run: Callable[[tuple[Tensor, ...]], Any], rows: tuple[Tensor, ...]) -> Any:
    """The operation on every row by itself."""
    results = [run(tuple(one)) for one in zip(*rows, strict=True)]
    if isinstance(results[0], Tensor):
        return torch.stack(results)
    return tuple(torch.stack(pieces) if isinstance(pieces[0], Tensor) else pieces[0] for pieces in zip(*results, strict=True))


def _assemble(constant: Tensor, nothing: Tensor, linear: Tensor | None, used: list[int], n_rows: int) -> AffineTensor:
    rows = constant.new_zeros((n_rows, *constant.shape))
    rows[0] = constant
    if linear is not None:
        rows[used] = linear - nothing
    return AffineTensor(rows=rows)
