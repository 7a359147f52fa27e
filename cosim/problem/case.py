"""A case: one run of a twin, in model units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.errors import CosimError
from training.errors import StimulusError
from training.stimuli import Stimulus, as_stimulus

MOST_POINTS = 200_000  # at which a case is looked at


@dataclass(frozen=True, kw_only=True)
class Case:
    """Stimuli, initial state and grid of one run.

    A stimulus is given as one of training.stimuli or as what :func:`training.stimuli.as_stimulus` makes one of: a number,
    samples, a pandas Series, a function. What SPICE has no source for is sampled here, over the duration, so that torch and
    the deck see the same.
    """

    name: str  # file stem of deck and waveform, e.g. "sine"
    stimuli: tuple[Stimulus, ...]  # one an external input; none for an autonomous system
    initial: tuple[float, ...]  # model units, one a state
    duration: float  # model seconds
    samples: int = 500  # of the comparison grid, both ends included

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.name):
            raise CosimError(f"case name {self.name!r}: use lower-case letters, digits and underscores")
        if not (np.isfinite(self.duration) and self.duration > 0 and self.samples >= 2):
            raise CosimError(f"case {self.name}: duration {self.duration} s and {self.samples} samples; both must be "
                             "positive, with at least 2 samples")
        if np.ndim(self.initial) != 1 or not np.size(self.initial) or not np.isfinite(self.initial).all():
            raise CosimError(f"case {self.name}: initial = {self.initial!r} must be finite, one value a state, e.g. (0.1,)")
        object.__setattr__(self, "initial", tuple(map(float, self.initial)))  # lists and arrays are taken too
        if isinstance(self.stimuli, Stimulus) or not isinstance(self.stimuli, Iterable):
            raise CosimError(f"case {self.name}: stimuli is a {type(self.stimuli).__name__}; give a tuple with one per "
                             "external input, e.g. stimuli=(stimulus,) with a comma")
        object.__setattr__(self, "stimuli", tuple(self._resolved(k, given) for k, given in enumerate(self.stimuli)))

    def _resolved(self, k: int, given: Any) -> Stimulus:
        try:
            stimulus = as_stimulus(given).resolved(self.duration)
        except StimulusError as error:
            raise CosimError(f"case {self.name}: stimuli[{k}]: {error}") from error
        points = self.duration / stimulus.resolution(self.duration)
        if points <= MOST_POINTS:
            points = len(stimulus.breakpoints(self.duration))
        if points > MOST_POINTS:
            raise CosimError(f"case {self.name}: stimuli[{k}], {stimulus.name}, has to be looked at {points:.3g} times in "
                             f"{self.duration:g} s, more than the {MOST_POINTS} times that are looked at; make the duration "
                             "shorter, or thin the samples")
        return stimulus

    @property
    def times(self) -> np.ndarray:
        """(samples,) model seconds."""
        return np.linspace(0.0, self.duration, self.samples)

    @property
    def fine_times(self) -> np.ndarray:
        """(m,) model seconds, the grid and between its samples what each stimulus needs for its peaks to be seen."""
        finest = min((stimulus.resolution(self.duration) for stimulus in self.stimuli), default=np.inf)
        points = int(np.ceil(self.duration / min(finest, self.duration))) + 1
        corners = [stimulus.breakpoints(self.duration) for stimulus in self.stimuli]
        return np.unique(np.concatenate([self.times, np.linspace(0.0, self.duration, points), *corners]))

    def inputs(self, times: np.ndarray) -> np.ndarray:
        """External inputs (m, n_external), model units."""
        values = [np.asarray(stimulus(times)) for stimulus in self.stimuli]
        return np.stack(values, axis=1) if values else np.empty((len(times), 0))
