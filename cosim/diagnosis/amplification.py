"""Whether the system itself amplifies: its largest Lyapunov exponent, and how far any small error grows within a case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cosim.diagnosis.course import Course
from cosim.diagnosis.jacobian import jacobian
from cosim.diagnosis.propagation import Propagation
from training.errors import SolverError
from training.lyapunov import Exponent, ensemble_exponent

PARTS = 10  # of a run, whose scatter gives the standard error
# Runs of a network that runs by itself. They start along the case, a little off it so that they part, and each is averaged over
# LENGTHS durations of the case after LEFT_OUT, in which they part and the error turns into the growing direction.
RUNS, LENGTHS, LEFT_OUT = 12, 5.0, 1.0
ASIDE = 0.01  # of full scale, by which the starts are off the case
COARSER = 2.5  # step of these runs, in steps of the course; an eighth of the shortest time constant
ASTRAY = 10.0  # full scales; a run that goes farther has left the region that the network was trained on
SURE = 3.0  # standard errors above 0


@dataclass(frozen=True, kw_only=True)
class Amplification:
    """What the network does to a small error, whatever made it."""

    exponent: float  # 1/model s, largest Lyapunov exponent
    standard_error: float  # 1/model s, from the scatter of ten parts of the run
    measured_over: float  # model s, the run that it was measured over
    long_run: bool  # False: along the case alone, because it is driven or its solution does not stay bounded
    growth: float  # largest factor by which an error grows within the case, in parts of full scale; 1: none grows
    growth_from: float  # model s, when it is made
    growth_until: float  # model s, when it is largest
    duration: float  # model s, of the case

    @property
    def amplifies(self) -> bool:
        """Whether errors grow e-fold at least once within the case, on average and beyond doubt."""
        return bool(self.exponent * self.duration > 1 and self.exponent > SURE * self.standard_error)

    @property
    def e_fold(self) -> float:
        """Model seconds in which an error grows e-fold, a Lyapunov time; inf where none does."""
        return 1 / self.exponent if self.amplifies else np.inf

    def until(self, start: float, limit: float) -> float:
        """Model seconds in which an error grows from ``start`` to ``limit``, parts of full scale; inf: never."""
        return float(np.log(limit / start)) * self.e_fold if self.amplifies and 0 < start < limit else np.inf


def amplification(course: Course) -> Amplification:
    """Growth along a case; the exponent over twelve runs of five times its length where the network runs by itself."""
    propagation = Propagation(course.scaled_jacobian, course.step)
    growth, made, largest = propagation.largest_growth()
    duration = float(course.times[-1])
    within = {"growth": growth, "growth_from": float(course.times[made]), "growth_until": float(course.times[largest]),
              "duration": duration}
    if not course.inputs.shape[1]:
        try:
            found = _long_run(course, duration)
        except SolverError:  # beyond the region that it was trained on a network may run away
            found = None
        if found is not None:
            return Amplification(exponent=found.value, standard_error=found.standard_error,
                                 measured_over=RUNS * LENGTHS * duration, long_run=True, **within)
    exponent, doubt = _along(propagation, duration)
    return Amplification(exponent=exponent, standard_error=doubt, measured_over=duration, long_run=False, **within)


def _long_run(course: Course, duration: float) -> Exponent | None:
    network = course.network

    def inputs(states: np.ndarray) -> np.ndarray:
        if not (np.abs(states) < ASTRAY * course.full_scale).all():
            raise SolverError("the network's solution runs away")
        return np.empty((len(states), 0))

    starts = course.reference[np.linspace(0, len(course.times) - 1, RUNS).astype(int)]
    starts = starts + ASIDE * course.full_scale * np.random.default_rng(0).standard_normal(starts.shape)
    return ensemble_exponent(
        lambda x: network.derivative(inputs(x), x), lambda x: jacobian(network, inputs(x), x), starts,
        duration=LENGTHS * duration, transient=LEFT_OUT * duration, step=COARSER * course.step)


def _along(propagation: Propagation, duration: float) -> tuple[float, float]:
    """Mean growth rate of one direction along the case, and its standard error [1/model s]."""
    direction, logs = np.random.default_rng(0).standard_normal(propagation.moves.shape[1]), []
    direction /= np.linalg.norm(direction)
    for move in propagation.moves:
        direction = move @ direction
        size = float(np.linalg.norm(direction))
        if size == 0:
            return -np.inf, 0.0
        logs.append(np.log(size))
        direction /= size
    rates = np.array([part.mean() for part in np.array_split(logs, min(PARTS, len(logs)))]) / propagation.step
    return float(np.sum(logs) / duration), float(rates.std(ddof=1) / len(rates) ** 0.5)
