"""Functions of one number that jump: no continuous network, and no board, follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.elementwise import between, curve_points, origins
from cosim.problem.lowering.knots import GRID
from cosim.problem.lowering.program import Program, Step, refs_of

MAY_JUMP = frozenset("eq ge gt hardshrink le lt ne sign threshold where masked_fill".split())
JUMP = 0.02  # of a function's range of values: less is left to the error that a fit states
DIGITS = 6  # of a place, of the range
HALVINGS = 40  # of the stretch in which a function changes most, until only a jump is left


def check_continuous(program: Program, samples: Mapping[str, Tensor], name: str) -> None:
    """Refuse a program that holds a function of one number which jumps where its samples lie.

    Args:
        samples: (m, *shape) of every value of the program.
        name: of the model, for the message.
    Raises:
        UnsupportedModelError: names the function, its place, and where it jumps.
    """
    found = origins(program)
    taken = {ref: step for step in program.steps for ref in refs_of(step) if found.get(step.name) != found.get(ref)}
    for step in program.steps:
        origin = found.get(step.name, step.name)
        if origin == step.name or (step.name not in taken and step.name != program.result):
            continue
        steps = between(program, step.name, origin, found)
        operations = {part.operation.split(".")[1] for part in steps if part.operation != "getitem"}
        if not operations & MAY_JUMP or step.name not in samples or not samples[step.name].is_floating_point():
            continue
        shape = samples[step.name].shape[1:]
        constants = dict(program.tensors) | {key: value[0] for key, value in samples.items() if key not in found}
        curve = _Curve(steps=steps, origin=origin, constants=constants, shape=shape,
                       low=samples[origin].amin(0).numpy(), high=samples[origin].amax(0).numpy())
        if (jump := _jump(curve)) is not None:
            place = f" ({step.place})" if step.place else ""
            raise UnsupportedModelError(f"model {name}: {step.operation}{place} jumps from {jump[1]:.4g} to {jump[2]:.4g} at "
                                        f"{jump[0]:.6g}; a board is continuous: use a ramp instead, e.g. torch.clamp")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Curve:
    """A function of one number, for every entry of a value at once."""

    steps: list[Step]
    origin: str
    constants: Mapping[str, Any]
    shape: tuple[int, ...]
    low: np.ndarray  # of the origin's entries, the least and the largest number
    high: np.ndarray

    def at(self, parts: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and values at parts of the range, (m, entries) each."""
        numbers = self.low + np.reshape(parts, (-1, *(1,) * self.low.ndim)) * (self.high - self.low)
        return tuple(points.reshape(len(numbers), -1)
                     for points in curve_points(self.steps, self.origin, numbers, self.constants, self.shape))


def _jump(curve: _Curve) -> tuple[float, float, float] | None:
    """Where a function jumps, and its values before and behind, of the first entry that does; None where all are continuous."""
    parts = np.linspace(0.0, 1.0, GRID)
    values = curve.at(parts)[1]
    spans, steps = np.ptp(values, axis=0), np.abs(np.diff(values, axis=0))
    for entry in np.flatnonzero((spans > 0) & (steps.max(axis=0) > JUMP * spans)):
        cell = int(steps[:, entry].argmax())
        left, right = parts[cell], parts[cell + 1]
        for _ in range(HALVINGS):
            middle = (left + right) / 2
            heights = curve.at([left, middle, right])[1][:, entry]
            left, right = (left, middle) if abs(heights[1] - heights[0]) > abs(heights[2] - heights[1]) else (middle, right)
        numbers, heights = (points[:, entry] for points in curve.at([left, right]))
        if abs(heights[1] - heights[0]) > JUMP * spans[entry]:
            digits = int(np.ceil(-np.log10(np.abs(curve.high - curve.low).max()))) + DIGITS
            return float(np.round(numbers[0], digits)) + 0.0, float(heights[0]), float(heights[1])
    return None
