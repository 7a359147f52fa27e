"""Arrays that record what is done to them, so that the model's equations can be written out as a program.

What is computed from a board's own figures alone is computed at once, with numpy; only what depends on the state is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Step:
    """One instruction: the kind of operation, its operands (Traced or numbers), how many lines it gives."""

    kind: str
    operands: tuple[Any, ...]
    n_lines: int
    places: tuple[int, ...] = ()  # of "pick"


@dataclass(eq=False)
class Tape:
    """Instructions in their order; each traced variable is the number of one."""

    steps: list[Step] = field(default_factory=list)

    def add(self, kind: str, *operands: Any, n_lines: int, places: Sequence[int] = ()) -> Traced:
        self.steps.append(Step(kind, operands, n_lines, tuple(places)))
        return Traced(self, n_lines, number=len(self.steps) - 1)


class Traced:
    """(boards, lines): a constant, of boards' figures, or the result of an instruction."""

    def __init__(self, tape: Tape, n_lines: int, *, number: int = -1, constant: np.ndarray | None = None) -> None:
        self.tape, self.n_lines, self.number, self.constant = tape, n_lines, number, constant

    @classmethod
    def of(cls, tape: Tape, constant: np.ndarray) -> Traced:
        """A board's figures, (boards or 1, lines) or (boards or 1, outputs, inputs)."""
        return cls(tape, constant.shape[1] if constant.ndim > 1 else 0, constant=constant)

    @property
    def library(self) -> type[Functions]:
        return Functions

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, self.n_lines) if self.constant is None else self.constant.shape

    def __add__(self, other: Any) -> Traced:
        return _apply("+", np.add, self, other)

    def __radd__(self, other: Any) -> Traced:
        return _apply("+", np.add, other, self)

    def __sub__(self, other: Any) -> Traced:
        return _apply("-", np.subtract, self, other)

    def __rsub__(self, other: Any) -> Traced:
        return _apply("-", np.subtract, other, self)

    def __mul__(self, other: Any) -> Traced:
        return _apply("*", np.multiply, self, other)

    def __rmul__(self, other: Any) -> Traced:
        return _apply("*", np.multiply, other, self)

    def __truediv__(self, other: Any) -> Traced:
        return _apply("/", np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Traced:
        return _apply("/", np.divide, other, self)

    def __neg__(self) -> Traced:
        return _apply("neg", np.negative, self)

    def __abs__(self) -> Traced:
        return _apply("fabs", np.abs, self)

    def __gt__(self, other: Any) -> Traced:
        return _apply(">", np.greater, self, other)

    def __le__(self, other: Any) -> Traced:
        return _apply("<=", np.less_equal, self, other)

    def __ge__(self, other: Any) -> Traced:
        return _apply(">=", np.greater_equal, self, other)

    def __lt__(self, other: Any) -> Traced:
        return _apply("<", np.less, self, other)

    def __and__(self, other: Any) -> Traced:
        return _apply("&", np.logical_and, self, other)

    def __bool__(self) -> bool:
        raise TypeError("a recorded array has no truth value: a program that branches on what it computes cannot be recorded")

    def __getitem__(self, where: Any) -> Traced:
        _, places = where
        chosen = range(self.n_lines)[places] if isinstance(places, slice) else places
        if self.constant is not None:
            return Traced.of(self.tape, self.constant[:, list(chosen)])
        return self.tape.add("pick", self, n_lines=len(chosen), places=chosen)


class Functions:
    """The part of numpy that the equations use."""

    @staticmethod
    def sqrt(x: Traced) -> Traced:
        return _apply("sqrt", np.sqrt, x)

    @staticmethod
    def exp(x: Traced) -> Traced:
        return _apply("exp", np.exp, x)

    @staticmethod
    def log(x: Traced) -> Traced:
        return _apply("log", np.log, x)

    @staticmethod
    def log1p(x: Traced) -> Traced:
        return _apply("log1p", np.log1p, x)

    @staticmethod
    def arcsinh(x: Traced) -> Traced:
        return _apply("asinh", np.arcsinh, x)

    @staticmethod
    def copysign(x: Traced, sign: Traced) -> Traced:
        return _apply("copysign", np.copysign, x, sign)

    @staticmethod
    def maximum(x: Traced, low: Any) -> Traced:
        return _apply("max", np.maximum, x, low)

    @staticmethod
    def minimum(x: Traced, high: Any) -> Traced:
        return _apply("min", np.minimum, x, high)

    @staticmethod
    def where(condition: Traced, yes: Any, no: Any) -> Traced:
        return _apply("where", np.where, condition, yes, no)

    @staticmethod
    def zeros_like(x: Traced) -> Traced:
        return Traced.of(x.tape, np.zeros((1, x.n_lines)))

    @staticmethod
    def ones_like(x: Traced) -> Traced:
        return Traced.of(x.tape, np.ones((1, x.n_lines)))


def traced_product(matrix: Traced, x: Traced) -> Traced:
    """Every board's matrix times its vector."""
    return x.tape.add("product", matrix, x, n_lines=matrix.shape[1])


def traced_side_by_side(first: Traced, second: Traced) -> Traced:
    """The lines of both."""
    return second.tape.add("join", first, second, n_lines=first.n_lines + second.n_lines)


def _apply(kind: str, compute: Callable[..., np.ndarray], *operands: Any) -> Traced:
    traced = [x for x in operands if isinstance(x, Traced)]
    tape = traced[0].tape
    if all(x.constant is not None for x in traced):
        return Traced.of(tape, compute(*(x.constant if isinstance(x, Traced) else x for x in operands)))
    return tape.add(kind, *operands, n_lines=max(x.n_lines for x in traced))
