"""A sum of stimuli."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from training.stimuli.base import Stimulus, kind
from training.stimuli.terms import check_terms


@kind("sum")
@dataclass(frozen=True, kw_only=True)
class Sum(Stimulus):
    """a(t) + b(t) + ...; in a deck the terms' sources are in series, which is exact."""

    stimuli: tuple[Stimulus, ...]  # two or more

    def __post_init__(self):
        terms = [inner for term in self.stimuli for inner in (term.stimuli if type(term) is Sum else (term,))]
        object.__setattr__(self, "stimuli", tuple(terms))
        check_terms(self)

    def _value(self, t):
        return reduce(np.add, (stimulus(t) for stimulus in self.stimuli))

    def integral(self, t):
        return reduce(np.add, (stimulus.integral(t) for stimulus in self.stimuli))

    def breakpoints(self, t_stop):
        return np.unique(np.concatenate([stimulus.breakpoints(t_stop) for stimulus in self.stimuli]))

    def resolution(self, t_stop):
        return min(stimulus.resolution(t_stop) for stimulus in self.stimuli)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        return tuple(source for stimulus in self.stimuli
                     for source in stimulus.spice_sources(volts_per_unit, delay, t_stop))

    def stretched(self, factor):
        return Sum(stimuli=tuple(stimulus.stretched(factor) for stimulus in self.stimuli))

    def _resolved(self, t_stop):
        return Sum(stimuli=tuple(stimulus.resolved(t_stop) for stimulus in self.stimuli))
