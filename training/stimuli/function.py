"""A function of time as a stimulus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from math import inf

import numpy as np
import torch

from training.errors import StimulusError
from training.stimuli.base import KINDS, Stimulus, kind
from training.stimuli.periodic import PER_PERIOD
from training.stimuli.sampled import Sampled
from training.stimuli.sampling import sample

ERROR = 1e-4  # of the range: the error that sampling stays within when nothing is said

TWICE = (0.0, 0.381966)  # of the run: where a function is asked twice, to see that it gives the same

@kind("function")
@dataclass(frozen=True)
class Function(Stimulus):
    """Any function of time [s] that gives a number, in numpy, torch or plain Python.

    A case samples it once, over its own duration; torch and the deck both see straight lines between these samples. A jump
    becomes an edge of at most a millionth of the duration. What is shorter than 1/512 of the duration may be missed where
    nothing else points at it: give ``finest`` or ``corners``, as far as they are known.
    """

    function: Callable[[float], float]
    _: KW_ONLY
    error: float = ERROR  # largest deviation that is allowed, as a part of the range of the values
    corners: tuple[float, ...] = ()  # s, times at which its slope jumps
    finest: float = inf  # s, duration of its shortest feature, e.g. the period of its fastest oscillation

    def __post_init__(self):
        if not callable(self.function):
            raise StimulusError(f"{self.name}: {type(self.function).__name__} cannot be called; give a function of the time [s]"
                                "")
        check_error(self)
        if not self.finest > 0.0:
            raise StimulusError(f"{self.name}: finest = {self.finest} s; it must be above 0 s")

    @property
    def label(self) -> str:
        """What it is called in messages."""
        if isinstance(self.function, Stimulus):
            return self.function.name if KINDS.get(self.function.name) is type(self.function) else type(self.function).__name__
        return f"function {getattr(self.function, '__name__', type(self.function).__name__)}"

    def _value(self, t):
        if isinstance(self.function, Stimulus) and KINDS.get(self.function.name) is type(self.function):
            return self.function(t)
        if np.ndim(t) == 0:
            return self._number(float(t))
        return np.array([self._number(float(at)) for at in np.ravel(t)]).reshape(np.shape(t))

    def breakpoints(self, t_stop):
        own = self.function.breakpoints(t_stop) if isinstance(self.function, Stimulus) else ()
        return np.unique([t for t in (*self.corners, *own) if 0.0 < t < t_stop])

    def resolution(self, t_stop):
        own = self.function.resolution(t_stop) if isinstance(self.function, Stimulus) else inf
        return min(self.finest / PER_PERIOD, own)

    def _resolved(self, t_stop):
        for t in TWICE:
            if (first := self(t * t_stop)) != (second := self(t * t_stop)):
                raise StimulusError(f"{self.label} gives {first:.6g} at t = {t * t_stop:.6g} s, and {second:.6g} when it is "
                                    "asked again; give Noise.of_rms(...), or what was drawn once, Sampled(times=..., "
                                    "values=...)")
        samples = sample(self, t_stop, error=self.error, breakpoints=self.breakpoints(t_stop),
                         finest=PER_PERIOD * self.resolution(t_stop), what=self.label)
        return Sampled(times=samples.times, values=samples.values, error=samples.error, source=self.label)

    def _number(self, t: float) -> float:
        value = self._called(t)
        try:
            numbers = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise StimulusError(f"{self.label} gives {value!r} at t = {t:.6g} s, which is no number; let it return one"
                                "") from error
        if numbers.size != 1 or not np.isfinite(numbers).all():
            raise StimulusError(f"{self.label} gives {value!r} at t = {t:.6g} s; let it return one finite number at every time "
                                "of the case, one function per external input")
        return float(numbers.reshape(-1)[0])

    def _called(self, t: float) -> float:
        try:
            return self.function(t)
        except TypeError as error:
            try:
                return self.function(torch.tensor(t, dtype=torch.float64))  # torch's own functions take nothing else
            except TypeError:
                raise StimulusError(f"{self.label} cannot be called with a time of {t:.6g} s ({error}); give a function of one "
                                    "number") from error


def check_error(stimulus: Stimulus) -> None:
    """Refuse an error that cannot be reached, or that leaves nothing of the signal.

    Raises:
        StimulusError: names the stimulus and the error.
    """
    if not 1e-9 <= stimulus.error < 1.0:
        raise StimulusError(f"{stimulus.name}: error = {stimulus.error}; a part of the signal's range, from 1e-9 to below 1")


def sampled(stimulus: Stimulus, error: float, t_stop: float) -> Sampled:
    """A stimulus of ours that SPICE has no source for, sampled from 0 to ``t_stop`` [s]."""
    return Function(stimulus, error=error)._resolved(t_stop)
