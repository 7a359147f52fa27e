"""A product of stimuli."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from training.stimuli.base import Stimulus, kind
from training.stimuli.function import ERROR, check_error, sampled
from training.stimuli.terms import check_terms


@kind("product")
@dataclass(frozen=True, kw_only=True)
class Product(Stimulus):
    """a(t) * b(t) * ...; SPICE has no source for it, so that a case samples it."""

    stimuli: tuple[Stimulus, ...]  # two or more
    error: float = ERROR  # largest deviation that is allowed, as a part of the range of the product

    def __post_init__(self):
        object.__setattr__(self, "stimuli", tuple(self.stimuli))
        check_terms(self)
        check_error(self)

    def _value(self, t):
        return reduce(np.multiply, (stimulus(t) for stimulus in self.stimuli))

    def breakpoints(self, t_stop):
        return np.unique(np.concatenate([stimulus.breakpoints(t_stop) for stimulus in self.stimuli]))

    def resolution(self, t_stop):
        return min(stimulus.resolution(t_stop) for stimulus in self.stimuli) / len(self.stimuli)  # frequencies add

    def stretched(self, factor):
        return replace(self, stimuli=tuple(stimulus.stretched(factor) for stimulus in self.stimuli))

    def _resolved(self, t_stop):
        factors = replace(self, stimuli=tuple(stimulus.resolved(t_stop) for stimulus in self.stimuli))
        return sampled(factors, self.error, t_stop)
