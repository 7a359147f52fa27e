"""Where a network has to be fitted: around its calibration samples and along the runs of the author's own module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from circuits.board import nets
from cosim.errors import UnsupportedModelError
from cosim.problem.case import Case
from cosim.problem.lowering.program import Program
from training.integrate import integrate

POINTS = 4000  # samples that are fitted, and as many again that only judge
JACOBIAN_STEP = 1e-6  # of a state's span
FLOOR = 0.01  # of a state's largest value, as in cosim.comparison.metrics
FEWEST = 0.25  # of the points at which the module must be finite
RTOL, ATOL = 1e-9, 1e-11  # as the reference that a board is compared with


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """A case as the author's module solves it."""

    case: Case
    columns: np.ndarray  # (samples, n_columns) what the module took
    states: np.ndarray  # (samples, n_states) model units
    slopes: np.ndarray  # (samples, n_states) dx/dt
    jacobians: np.ndarray  # (samples, n_states, n_states) d(dx/dt)/dx, 1/model s
    floors: np.ndarray  # (samples, n_states) what an error is divided by; see cosim.comparison.metrics


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Points of the region and the derivatives there."""

    times: np.ndarray  # (m,) model s
    columns: np.ndarray  # (m, n_columns)
    slopes: np.ndarray  # (m, n_states)


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """What a fit is made on, and what it is judged by."""

    program: Program
    columns: tuple[str, ...]  # what each number of the module's input is
    calibration: np.ndarray  # (m, n_columns)
    paths: tuple[Path, ...]
    margin: float  # part of each signal's span by which points are moved away from where they are
    seed: int
    fitted: Samples
    held_out: Samples
    full_scale: np.ndarray  # (n_states,) largest derivative in the region

    def with_points(self, count: int) -> Region:
        """The same region with more samples."""
        rng = np.random.default_rng(self.seed)
        fitted, held_out = self._draw(rng, count), self._draw(rng, POINTS)
        full_scale = np.abs(fitted.slopes).max(axis=0)
        return replace(self, fitted=fitted, held_out=held_out, full_scale=np.where(full_scale > 0, full_scale, 1.0))

    def _draw(self, rng: np.random.Generator, count: int) -> Samples:
        """Half of the points around the calibration, half around the runs."""
        along = np.concatenate([path.columns for path in self.paths])
        times = np.concatenate([path.case.times for path in self.paths])
        seen = np.concatenate([self.calibration, along])
        span = np.ptp(seen, axis=0)
        span = np.where(span > 0, span, np.maximum(np.abs(seen).max(axis=0), 1e-12))
        first, second = rng.integers(len(self.calibration), size=count // 2), rng.integers(len(along), size=count // 2)
        points = np.concatenate([self.calibration[first], along[second]])
        points = points + rng.uniform(-self.margin, self.margin, points.shape) * span
        times = np.concatenate([rng.uniform(0, times.max(), len(first)), times[second]])
        slopes = slopes_of(self.program, times, points)
        good = np.isfinite(slopes).all(axis=1)  # the margin may reach beyond where a logarithm or a root is defined
        if good.mean() < FEWEST:
            raise UnsupportedModelError(f"the model is finite at {good.mean():.0%} of the points within {self.margin:.0%} of "
                                        "the calibration samples and the runs; give the fit a smaller margin")
        return Samples(times=times[good], columns=points[good], slopes=slopes[good])


def survey(program: Program, columns: tuple[str, ...], inputs: np.ndarray, states: np.ndarray, cases: Sequence[Case], *,
           margin: float, seed: int) -> Region:
    """Solve the cases with the author's module, and sample the region around them and around the calibration.

    Args:
        inputs: (m, n_external) and states: (m, n_states), calibration samples.
    Raises:
        UnsupportedModelError: the module is not finite at a calibration sample; says where.
        training.errors.SolverError: a case cannot be solved.
    """
    calibration = np.take(np.concatenate([inputs, states], axis=1), nets.column_places(columns, inputs.shape[1]), axis=1)
    _check_finite(program, columns, calibration, max(case.duration for case in cases))
    reach = np.abs(states).max(axis=0)
    paths = tuple(_path(program, columns, case, np.where(reach > 0, reach, 1.0)) for case in cases)
    nothing = Samples(times=np.empty(0), columns=np.empty((0, len(columns))), slopes=np.empty((0, states.shape[1])))
    return Region(program=program, columns=columns, calibration=calibration, paths=paths, margin=margin, seed=seed,
                  fitted=nothing, held_out=nothing, full_scale=np.ones(states.shape[1])).with_points(POINTS)


def near_samples(program: Program, columns: tuple[str, ...], inputs: np.ndarray, states: np.ndarray,
                 cases: Sequence[Case]) -> dict[str, Tensor]:
    """Every value of the program at the calibration samples, (m, *shape), by its name; arguments as for :func:`survey`."""
    calibration = np.take(np.concatenate([inputs, states], axis=1), nets.column_places(columns, inputs.shape[1]), axis=1)
    return program.batch(np.linspace(0, max(case.duration for case in cases), len(calibration)), calibration)


def slopes_of(program: Program, times: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """dx/dt (m, n_states) of the author's module at times (m,) and columns (m, n)."""
    return program.batch(times, columns)[program.result].reshape(len(times), -1).numpy()


def _check_finite(program: Program, columns: tuple[str, ...], points: np.ndarray, duration: float) -> None:
    slopes = slopes_of(program, np.linspace(0, duration, len(points)), points)
    if bad := np.flatnonzero(~np.isfinite(slopes).all(axis=1)).tolist():
        at = ", ".join(f"{column} = {value:.4g}" for column, value in zip(columns, points[bad[0]], strict=True))
        raise UnsupportedModelError(f"the model gives {slopes[bad[0]]} at calibration sample {bad[0]} ({at}); calibrate where "
                                    "it is finite")


def _path(program: Program, columns: tuple[str, ...], case: Case, reach: np.ndarray) -> Path:
    places = nets.column_places(columns, len(case.stimuli))
    breakpoints = {float(t) for stimulus in case.stimuli for t in stimulus.breakpoints(case.duration)}

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        return program.run(t, np.take([*(stimulus(t) for stimulus in case.stimuli), *y], places))

    states = integrate(slope, np.array(case.initial), case.times, breakpoints=sorted(breakpoints), rtol=RTOL, atol=ATOL)
    points = np.take(np.concatenate([case.inputs(case.times), states], axis=1), places, axis=1)
    jacobians = []
    for k, place in enumerate(nets.state_places(columns)):
        moved = np.zeros(len(columns))
        moved[place] = JACOBIAN_STEP * (np.ptp(states[:, k]) or np.abs(states[:, k]).max() or 1.0)
        ahead, behind = (slopes_of(program, case.times, points + side * moved) for side in (1, -1))
        jacobians.append((ahead - behind) / (2 * moved[place]))
    largest = np.abs(states).max(axis=0)
    floors = np.maximum(np.abs(states), np.where(largest > 0, FLOOR * largest, reach))  # at rest: by what it may reach
    return Path(case=case, columns=points, states=states, slopes=slopes_of(program, case.times, points),
                jacobians=np.stack(jacobians, axis=2), floors=floors)
