"""Lowering what is not piecewise linear: a smooth function of one number becomes ReLU pieces over the range that it sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.basis import AffineTensor, Basis
from cosim.problem.lowering.curves import broadcast_rows, grid, in_pieces
from cosim.problem.lowering.elementwise import between, curve_points, origins
from cosim.problem.lowering.products import PRODUCTS, Setting
from cosim.problem.lowering.program import Program, Step
from cosim.problem.lowering.relu_rules import RULES


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A value that has no affine form of its own, such as a comparison: only what is made of it may have one."""

    name: str


@dataclass(kw_only=True, eq=False)
class Pieces:
    """How the steps of a program that are not exact are lowered; made for one lowering, see :func:`lower`."""

    program: Program
    samples: Mapping[str, Tensor]  # (m, *shape) of every value of the program where the runs go, by name
    tolerance: float  # of a function's pieces, part of its own range of values
    origins: Mapping[str, str] = field(init=False)
    _smooth: set[str] = field(default_factory=set)  # values on whose way from their origin something was not exact

    def __post_init__(self) -> None:
        self.origins = origins(self.program)

    def takes(self, step: Step, refs: list[str], values: Mapping[str, Any]) -> bool:
        """Whether a step is better lowered from its origin than from its arguments, although its own operation is exact."""
        if any(isinstance(values[ref], Pending) for ref in refs):
            return True
        return _operation(step) in RULES and self._is_curve(step.name) and bool(self._smooth & set(refs))

    def note(self, step: Step, refs: list[str]) -> None:
        """Remember that a step which was lowered exactly is made of something that was not."""
        if self._is_curve(step.name) and self._smooth & set(refs):
            self._smooth.add(step.name)

    def value(self, step: Step, refs: list[str], values: Mapping[str, Any], basis: Basis) -> Any:
        """A step in pieces; None where it is neither a function of one number nor a product."""
        seen = self.samples.get(step.name)
        if self._is_curve(step.name):
            self._smooth.add(step.name)
            if seen is None or not seen.is_floating_point():
                return Pending(name=step.name)
            return self._curve(step, values, basis)
        if any(isinstance(values[ref], Pending) for ref in refs) or _operation(step) not in PRODUCTS:
            return None
        setting = Setting(step=step, values=values, samples=self.samples, tolerance=self.tolerance, basis=basis)
        with _place_named(step):
            return PRODUCTS[_operation(step)](setting)

    def _is_curve(self, name: str) -> bool:
        return self.origins.get(name, name) != name

    def _curve(self, step: Step, values: Mapping[str, Any], basis: Basis) -> AffineTensor:
        origin, shape = self.origins[step.name], self.samples[step.name].shape[1:]
        numbers = grid(self.samples[origin])
        steps = between(self.program, step.name, origin, self.origins)
        constants = {name: value for name, value in values.items() if isinstance(value, Tensor)}
        x, y = curve_points(steps, origin, numbers, constants, shape)
        base = AffineTensor(rows=broadcast_rows(values[origin].widened(1 + len(basis)), shape))
        with _place_named(step):
            return in_pieces(base, x, y, self.tolerance, basis)


@contextmanager
def _place_named(step: Step) -> Iterator[None]:
    """What goes wrong with a function is told with its place."""
    try:
        yield
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{_operation(step)}{f' ({step.place})' if step.place else ''}: {error}") from error


def _operation(step: Step) -> str:
    return "getitem" if step.operation == "getitem" else step.operation.split(".")[1]
