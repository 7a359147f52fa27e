"""A case: one run of a twin, in model units."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cosim.errors import CosimError
from training.stimuli import Stimulus

PER_PERIOD = 96  # points, 32 in a period of the modulated sine's third harmonic: a peak is seen to half a percent
MOST_POINTS = 200_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """Stimuli, initial state and grid of one run."""

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
        for k, stimulus in enumerate(self.stimuli):
            if not isinstance(stimulus, Stimulus):
                raise CosimError(f"case {self.name}: stimuli[{k}] is a {type(stimulus).__name__}; give one of "
                                 "training.stimuli, e.g. Sine(amplitude=0.1, bias=0.0, period=1.0), or a Stimulus of your own")
            if self.duration > stimulus.period * MOST_POINTS / PER_PERIOD:
                raise CosimError(f"case {self.name}: {self.duration:g} s are {self.duration / stimulus.period:.3g} periods of "
                                 f"stimuli[{k}], more than the {MOST_POINTS // PER_PERIOD} that are looked at; make the "
                                 "duration shorter")

    @property
    def times(self) -> np.ndarray:
        """(samples,) model seconds."""
        return np.linspace(0.0, self.duration, self.samples)

    @property
    def fine_times(self) -> np.ndarray:
        """(m,) model seconds, the grid and between its samples what each stimulus needs for its peaks to be seen."""
        steps = [stimulus.period / PER_PERIOD for stimulus in self.stimuli]
        points = int(np.ceil(self.duration / min(steps, default=self.duration))) + 1
        corners = [stimulus.breakpoints(self.duration) for stimulus in self.stimuli]
        return np.unique(np.concatenate([self.times, np.linspace(0.0, self.duration, points), *corners]))

    def inputs(self, times: np.ndarray) -> np.ndarray:
        """External inputs (m, n_external), model units."""
        values = [np.asarray(stimulus(times)) for stimulus in self.stimuli]
        return np.stack(values, axis=1) if values else np.empty((len(times), 0))
