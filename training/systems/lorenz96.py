"""Lorenz96: an autonomous ring of d sites, each of which is carried by its neighbours, damped and forced.

Lorenz, "Predictability - a problem partly solved", ECMWF Seminar on Predictability (1996), eq. 1, indices modulo d:

    dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F.

The advection term conserves sum x_i^2 / 2; damping takes energy out and the forcing F puts it in. With d = 6, the ring is not
chaotic at F = 6 (largest exponent 0 within 0.002) and chaotic at F = 8 (0.96 +- 0.01 per time unit). `training.lyapunov`
measures both.
"""

from dataclasses import dataclass

import numpy as np

from training.errors import PhysicsError
from training.integrate import integrate
from training.systems.base import Trajectory

START = (-1.2061, 0.0617, 1.1632, -1.5008, -1.5944, -0.0187)  # the published experiment, model units
SAMPLES, TRAINING_SAMPLES, DURATION = 2400, 1800, 48.0  # the published experiment; duration in time units


@dataclass(frozen=True, kw_only=True)
class Lorenz96:
    """The ring with its forcing. Time is in Lorenz's unit (5 days of weather), the state in the units of the equation."""

    forcing: float  # F, model units per time unit
    start: tuple[float, ...] = START  # x(0), model units; its length is d

    def __post_init__(self):
        if len(self.start) < 4:
            raise PhysicsError(f"start has {len(self.start)} values; the ring needs 4 or more, so that x_i-2 ... x_i+1 differ")
        if not np.isfinite([self.forcing, *self.start]).all():
            raise PhysicsError(f"F = {self.forcing}, start = {self.start}; all must be finite")

    @property
    def name(self) -> str:
        return f"lorenz96_f{self.forcing:g}"

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(f"x{i}" for i in range(len(self.start)))

    def initial_state(self) -> np.ndarray:
        return np.array(self.start)

    def grid(self) -> np.ndarray:
        return np.linspace(0.0, DURATION, SAMPLES)

    def advection(self, x: np.ndarray) -> np.ndarray:
        """(x_{i+1} - x_{i-2}) x_{i-1} along the last axis; orthogonal to x."""
        return (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1)

    def rhs(self, state: np.ndarray) -> np.ndarray:
        """dx/dt (..., d) [model units per time unit]."""
        return self.advection(state) - state + self.forcing

    def tangent(self, state: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Jacobian at a state (..., d) times a vector v (..., d)."""
        behind, ahead = np.roll(state, 1, -1), np.roll(state, -1, -1) - np.roll(state, 2, -1)
        return (np.roll(v, -1, -1) - np.roll(v, 2, -1)) * behind + ahead * np.roll(v, 1, -1) - v

    def solve(self, t: np.ndarray | None = None) -> Trajectory:
        """Ground truth on t, by default `grid()`, with rtol 1e-11.

        At F = 8 an error grows e^(0.96 * 48) = 1e20-fold over the run. The late samples are therefore a solution of the
        equation, but not the solution from exactly this start: they are deterministic here and differ under another solver.

        Raises:
            SolverError: t does not ascend, or the integration stopped early.
        """
        t = self.grid() if t is None else np.asarray(t, dtype=np.float64)
        state = integrate(lambda _, x: self.rhs(x), self.start, t)
        return Trajectory(time=t, stimulus=np.empty((len(t), 0)), state=state)


def phases(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split samples (2400, d) into the spans of interpolation (1800, d) and extrapolation (600, d).

    Raises:
        PhysicsError: there is another number of samples.
    """
    if len(state) != SAMPLES:
        raise PhysicsError(f"got {len(state)} samples; the published split is of {SAMPLES}")
    return state[:TRAINING_SAMPLES], state[TRAINING_SAMPLES:]


FORCINGS: dict[str, Lorenz96] = {s.name: s for s in (Lorenz96(forcing=6.0), Lorenz96(forcing=8.0))}
