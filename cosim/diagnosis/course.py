"""One run of a board beside torch, on a grid fine enough for slopes: what every figure of a diagnosis is worked out from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.compiler.scaling import Scales
from cosim.diagnosis.jacobian import jacobian
from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork
from cosim.problem.case import Case
from cosim.problem.network import Network
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states

PER_RATE = 20  # points in the shortest time constant of the network
FEWEST, MOST = 1000, 10_000  # points of a run
TOGGLED = 1e-5  # s, circuit time, after which the lines have forgotten that the switches toggled; 5 us do
MOST_SAVED = 20_000  # points of a waveform that are looked at
LEAST_SAVED = 50  # points that a waveform must have after the start; decks of ours save some 2000 and more


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """One case, torch and board; model units and model seconds."""

    case: Case
    network: Network
    scales: Scales
    times: np.ndarray  # (points,) evenly spaced from 0 to the case's duration
    inputs: np.ndarray  # (points, n_external)
    reference: np.ndarray  # (points, n_states), torch
    twin: np.ndarray  # (points, n_states), the board
    full_scale: np.ndarray  # (n_states,), largest magnitude in torch; 1 where torch rests at 0
    jacobian: np.ndarray  # (points, n_states, n_states), d f/d x along torch, 1/model s

    @property
    def step(self) -> float:
        """Model seconds between two points."""
        return float(self.times[1])

    @property
    def error(self) -> np.ndarray:
        """(points, n_states), board less torch, parts of full scale."""
        return (self.twin - self.reference) / self.full_scale

    @property
    def scaled_jacobian(self) -> np.ndarray:
        """The Jacobian of the states in parts of their full scale."""
        return self.jacobian * self.full_scale / self.full_scale[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Saved:
    """The points of a waveform from the start of integration on, with torch beside them."""

    rows: np.ndarray  # (m,), of the waveform
    times: np.ndarray  # (m,) model s, ascending
    inputs: np.ndarray  # (m, n_external) model units
    reference: np.ndarray  # (m, n_states) model units
    twin: np.ndarray  # (m, n_states) model units


def course_of(compiled: CompiledNetwork, case: Case, waveforms: Waveforms) -> tuple[Course, Saved]:
    """Torch and a simulated run of a compiled network, on one fine grid and at the waveform's own points.

    It is the error that is interpolated, not the board's states: between points that are far apart a curve through the states
    alone would be off by more than a good board is.

    Args:
        waveforms: node voltages [V] over circuit time [s].
    Raises:
        ResultsError: the run ended early, has too few points, or holds a value that is not finite.
        circuits.errors.CircuitError: a state line was not saved, or the run is shorter than the case.
        training.errors.SolverError: the network's solution leaves the finite numbers.
    """
    manifest, network = compiled.manifest, compiled.network
    for k in range(len(case.initial)):
        volts = waveforms[nets.state_vector(k)]
        if not np.isfinite(volts).all():
            raise ResultsError(f"case {case.name}: {nets.state_vector(k)} is not finite at "
                               f"{waveforms.scale[np.argmin(np.isfinite(volts))]:.6g} s; simulate again")
    twin_states(waveforms, manifest, case)  # refuses a run that ended early
    fine = replace(case, samples=_points(network, case))
    expected, inputs = reference(network, fine), case.inputs(fine.times)
    torch_at = CubicHermiteSpline(fine.times, expected, network.derivative(inputs, expected))
    rows, times = _after_start(waveforms.scale, manifest.start, manifest.scales.time, case)
    volts = np.stack([waveforms[nets.state_vector(k)][rows] for k in range(network.n_states)], axis=1)
    states = volts / manifest.scales.state
    saved = Saved(rows=rows, times=times, inputs=case.inputs(times), reference=torch_at(times), twin=states)
    error = PchipInterpolator(times, states - saved.reference)(np.clip(fine.times, times[0], times[-1]))
    return make_course(network, fine, manifest.scales, expected, expected + error), saved


def _after_start(scale: np.ndarray, start: float, time_scale: float, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a waveform within the case, thinned to the MOST_SAVED, and their model seconds.

    Of the first microseconds, in which the switches' charge is on every line, nothing but the start itself is taken.
    """
    times = (scale - start) / time_scale
    slack = 1e-9 * case.duration
    inside = (times >= -slack) & (times <= case.duration + slack)
    inside &= (times <= slack) | (scale - start >= TOGGLED)
    inside &= np.append(np.diff(times) > slack, True)  # of points that repeat at a breakpoint the last
    rows = np.flatnonzero(inside)
    if len(rows) < LEAST_SAVED:
        raise ResultsError(f"case {case.name}: the waveform has {len(rows)} points from the start of integration on, too few "
                           f"to tell what errs; save at least {LEAST_SAVED}, as the decks of `cosim compile` do")
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_SAVED)).astype(int))]
    return rows, np.clip(times[rows], 0.0, case.duration)


def make_course(network: Network, case: Case, scales: Scales, expected: np.ndarray, twin: np.ndarray) -> Course:
    """A course of solutions on the case's own grid.

    Args:
        expected, twin: (case.samples, n_states) model units, of torch and of the board.
    Raises:
        ResultsError: shapes that do not fit, or a value that is not finite.
    """
    for name, states in (("reference", expected), ("board", twin)):
        if states.shape != (case.samples, network.n_states):
            raise ResultsError(f"case {case.name}: {name} of shape {states.shape}, wanted {(case.samples, network.n_states)}")
        if not np.isfinite(states).all():
            point, k = np.argwhere(~np.isfinite(states))[0]
            raise ResultsError(f"case {case.name}: {name}, state {nets.state_column(k)} is not finite at "
                               f"{case.times[point]:.6g} model s")
    full_scale = np.abs(expected).max(axis=0)
    inputs = case.inputs(case.times)
    return Course(case=case, network=network, scales=scales, times=case.times, inputs=inputs, reference=expected, twin=twin,
                  full_scale=np.where(full_scale > 0, full_scale, 1.0), jacobian=jacobian(network, inputs, expected))


def _points(network: Network, case: Case) -> int:
    """So many that the network's fastest rate along the case, and the stimuli, are followed."""
    inputs, states = case.inputs(case.times), reference(network, case)
    rate = float(np.abs(np.linalg.eigvals(jacobian(network, inputs, states))).max(initial=0.0))
    finest = min((stimulus.resolution(case.duration) for stimulus in case.stimuli), default=np.inf)
    wanted = max(PER_RATE * rate * case.duration, 2 * case.duration / finest, case.samples)
    return int(min(max(np.ceil(wanted), FEWEST), MOST)) + 1
