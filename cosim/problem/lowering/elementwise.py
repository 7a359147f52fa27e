"""Which values of a program are functions of one other value, entry by entry, and those functions at any number.

In ``x * torch.sigmoid(x)`` both factors are functions of x alone, so that the product is one too: its origin is x. Such a
value is a curve per entry, whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from cosim.problem.lowering.affine_rules import SHAPE_ONLY
from cosim.problem.lowering.program import COLUMNS, TIME, Program, Step, apply, refs_of

ELEMENTWISE = frozenset("""
abs acos acosh add alias asin asinh atan atanh celu clamp clamp_max clamp_min clone contiguous cos cosh detach div elu eq erf
erfc exp exp2 expm1 ge gelu gt hardshrink hardsigmoid hardswish hardtanh le leaky_relu lift_fresh lift_fresh_copy log log10
log1p log2 log_sigmoid_forward lt masked_fill maximum minimum mish mul ne neg pow _prelu_kernel reciprocal relu rsqrt rsub
sigmoid sign silu sin sinc sinh softplus softshrink sqrt square sub tan tanh threshold _to_copy true_divide where
""".split())


def origins(program: Program) -> dict[str, str]:
    """Of every value that depends on the inputs, the one that it is a function of, entry by entry; at least itself."""
    found = {TIME: TIME, COLUMNS: COLUMNS}
    tuples: set[str] = set()  # values that hold several tensors, as log_sigmoid_forward gives
    for step in program.steps:
        fed = {found[ref] for ref in refs_of(step) if ref in found}
        if not fed or (step.operation != "getitem" and step.operation.split(".")[1] in SHAPE_ONLY):
            continue
        if step.operation == "getitem":
            alone = bool(tuples & set(refs_of(step)))
        else:
            alone = step.operation.split(".")[1] in ELEMENTWISE
            if step.operation.split(".")[1] == "log_sigmoid_forward":
                tuples.add(step.name)
        found[step.name] = fed.pop() if alone and len(fed) == 1 else step.name
    return found


def between(program: Program, name: str, origin: str, found: Mapping[str, str]) -> list[Step]:
    """Steps that lead from an origin to a value of its own, in their order."""
    wanted, steps = {name}, []
    for step in reversed(program.steps):
        if step.name in wanted and step.name != origin and found.get(step.name) == origin:
            steps.append(step)
            wanted |= set(refs_of(step))
    return steps[::-1]


@torch.no_grad()
def curve_points(steps: Sequence[Step], origin: str, numbers: np.ndarray, constants: Mapping[str, Any],
                 shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A value at given numbers of its origin.

    Args:
        steps: of :func:`between`.
        numbers: (m, *shape of the origin), a set of numbers for each of its entries.
        constants: everything else that the steps take, by name.
        shape: of the value, which its origin may have been broadcast to.
    Returns:
        x and y, (m, *shape) each: what each entry of the value is a function of, and the value.
    """
    spread = numbers.reshape(len(numbers), *(1,) * (len(shape) - numbers.ndim + 1), *numbers.shape[1:])
    values: dict[str, Any] = {**constants, origin: torch.from_numpy(np.ascontiguousarray(spread))}
    for step in steps:
        values[step.name] = apply(step, lambda ref: values[ref.name])
    return tuple(np.broadcast_to(part, (len(numbers), *shape)) for part in (spread, values[steps[-1].name].numpy()))
