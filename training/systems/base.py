"""What a dynamical system offers: its state equation, its grid and its true trajectory."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.stimuli import Stimulus


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """A solved run; all arrays are on the same grid."""

    time: np.ndarray  # (m,) s
    stimulus: np.ndarray  # (m,) model units; (m, 0) where there is none
    state: np.ndarray  # (m, n) model units


class System(Protocol):
    """A physical system that is driven by a stimulus. State and time derivative are in model units."""

    name: str
    state_names: tuple[str, ...]

    def initial_state(self) -> np.ndarray:
        """(n,) model units."""
        ...

    def rhs(self, stimulus: float, state: np.ndarray) -> np.ndarray:
        """Time derivative (n,) [model units / s] at a stimulus value and a state (n,)."""
        ...

    def grid(self) -> np.ndarray:
        """(m,) sample times of the published experiment [s]."""
        ...

    def solve(self, stimulus: Stimulus, t: np.ndarray | None = None) -> Trajectory:
        """Ground truth on t, by default `grid()`."""
        ...


class AutonomousSystem(Protocol):
    """A system without stimulus, in its own units of state and time."""

    name: str
    state_names: tuple[str, ...]

    def initial_state(self) -> np.ndarray:
        """(n,) model units."""
        ...

    def rhs(self, state: np.ndarray) -> np.ndarray:
        """Time derivative (n,) [model units / time unit] at a state (n,)."""
        ...

    def grid(self) -> np.ndarray:
        """(m,) sample times of the published experiment, time units."""
        ...

    def solve(self, t: np.ndarray | None = None) -> Trajectory:
        """Ground truth on t, by default `grid()`."""
        ...
