"""Stimulus: an object that gives both the values for torch and the sources for SPICE, so that the two can never disagree.

Time is in seconds, values are in model units. Every stimulus is held at s(0) for t < 0, as a SPICE source is before its delay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from numbers import Real
from typing import ClassVar, TypeVar

import numpy as np
import torch

from training.errors import StimulusError

KINDS: dict[str, type[Stimulus]] = {}  # the kinds that SPICE and a manifest know, and those that are sampled to become one
Kind = TypeVar("Kind", bound="type[Stimulus]")


def kind(name: str) -> Callable[[Kind], Kind]:
    """Class decorator: gives a stimulus of ours its name and makes it known by it."""

    def register(cls: Kind) -> Kind:
        cls.name = name
        KINDS[name] = cls
        return cls

    return register


class Stimulus(ABC):
    """A waveform over time.

    A class of your own needs ``_value`` alone, and ``breakpoints`` where its slope jumps. A case samples it
    (:meth:`resolved`), since SPICE has no source for it.
    """

    name: ClassVar[str] = "stimulus"
    __array_ufunc__ = None  # a numpy number times a stimulus is a stimulus

    def __call__(self, t):
        """Value at time t [s] of any shape. A tensor gives a float64 tensor, an array gives an array, a float gives a float.

        numpy computes all three, because on a single number, which is what a solver asks for, torch takes thirty times as
        long. The value for a tensor carries no gradient with respect to time.
        """
        if isinstance(t, torch.Tensor):
            return torch.as_tensor(self._value(np.maximum(t.detach().numpy().astype(np.float64), 0.0)))
        if isinstance(t, np.ndarray):
            return np.asarray(self._value(np.maximum(t.astype(np.float64), 0.0)))
        return float(self._value(max(float(t), 0.0)))

    @abstractmethod
    def _value(self, t: float | np.ndarray) -> float | np.ndarray:
        """Value at t >= 0 in float64, of the same shape."""

    def integral(self, t: np.ndarray) -> np.ndarray:
        """Integral from 0 to t >= 0 [model units * s], of the same shape as t; exact, of what :meth:`resolved` gives."""
        t = np.asarray(t, dtype=np.float64)
        t_stop = float(t.max())
        return self.resolved(t_stop).integral(t) if t_stop > 0.0 else np.zeros_like(t)

    def breakpoints(self, t_stop: float) -> np.ndarray:
        """Times [s] strictly inside (0, t_stop) at which the slope jumps, ascending."""
        return np.empty(0)

    def resolution(self, t_stop: float) -> float:
        """Spacing [s] of times at which it must be looked at for its peaks to be seen; infinite: at its breakpoints alone."""
        return inf

    def spice_sources(self, volts_per_unit: float, delay: float, t_stop: float) -> tuple[str, ...]:
        """SPICE values of voltage sources that are put in series; their sum is volts_per_unit * s(time - delay).

        Args:
            volts_per_unit: [V per model unit].
            delay: simulation time at which t = 0 [s]; the value is s(0) before it.
            t_stop: stimulus time that the sources must cover, counted from the delay [s].
        """
        return self.resolved(t_stop).spice_sources(volts_per_unit, delay, t_stop)

    def stretched(self, factor: float) -> Stimulus:
        """The same waveform with every time multiplied, as a circuit sees it that takes ``factor`` seconds per model second."""
        return KINDS["stretched"](stimulus=self, factor=factor)

    def resolved(self, t_stop: float) -> Stimulus:
        """What torch and the deck both see from 0 to ``t_stop`` [s].

        That is the stimulus itself where SPICE has a source for it. Anything else is sampled: a chirp, a product, a function,
        and every class that is not one of ours, a subclass of one of ours among them, since what it changes is not known.

        Raises:
            StimulusError: it does not last that long, or it cannot be sampled within the error that it states.
        """
        if KINDS.get(self.name) is type(self):
            return self._resolved(t_stop)
        return KINDS["function"](self)._resolved(t_stop)

    def _resolved(self, t_stop: float) -> Stimulus:
        return self

    def __add__(self, other: Stimulus | float) -> Stimulus:
        return _arithmetic("sum", self, other)

    def __radd__(self, other: float) -> Stimulus:
        return _arithmetic("sum", other, self)

    def __mul__(self, other: Stimulus | float) -> Stimulus:
        return _arithmetic("product", self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Stimulus:
        return -1.0 * self

    def __sub__(self, other: Stimulus | float) -> Stimulus:
        return self + -1.0 * other if isinstance(other, Stimulus | Real) else NotImplemented

    def __rsub__(self, other: float) -> Stimulus:
        return other + -1.0 * self if isinstance(other, Real) else NotImplemented

    def __truediv__(self, other: float) -> Stimulus:
        return self * (1.0 / other) if isinstance(other, Real) else NotImplemented


def _arithmetic(operation: str, first: Stimulus | float, second: Stimulus | float) -> Stimulus:
    """Sum or product; a factor that is a number scales, which is exact."""
    if not (isinstance(first, Stimulus | Real) and isinstance(second, Stimulus | Real)):
        return NotImplemented
    number = second if isinstance(first, Stimulus) else first
    if operation == "product" and isinstance(number, Real):
        return KINDS["scaled"](factor=float(number), stimulus=first if isinstance(first, Stimulus) else second)
    terms = (term if isinstance(term, Stimulus) else KINDS["constant"](value=float(term)) for term in (first, second))
    return KINDS[operation](stimuli=tuple(terms))


def check_numbers(stimulus: Stimulus, *names: str) -> None:
    """Refuse fields that are not finite numbers; numpy's numbers become Python's, which JSON knows.

    Raises:
        StimulusError: names the stimulus and all those fields with their values.
    """
    values = {name: getattr(stimulus, name) for name in names}
    for name, value in values.items():
        if isinstance(value, np.generic):
            object.__setattr__(stimulus, name, value.item())
    if not all(isinstance(value, Real) and np.isfinite(value) for value in values.values()):
        said = ", ".join(f"{name} = {value}" for name, value in values.items())
        raise StimulusError(f"{stimulus.name}: {said}; {'both' if len(values) == 2 else 'all'} must be finite")
