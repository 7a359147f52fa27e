"""One run of a board beside torch, on a grid fine enough for slopes: what every figure of a diagnosis is worked out from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

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


def course_of(compiled: CompiledNetwork, case: Case, waveforms: Waveforms) -> Course:
    """Torch and a simulated run of a compiled network on one fine grid.

    Args:
        waveforms: node voltages [V] over circuit time [s].
    Raises:
        ResultsError: the run ended early, has too few points, or holds a value that is not finite.
        circuits.errors.CircuitError: a state line was not saved, or the run is shorter than the case.
        training.errors.SolverError: the network's solution leaves the finite numbers.
    """
    saved = int((waveforms.scale >= compiled.manifest.start).sum())
    if saved < LEAST_SAVED:
        raise ResultsError(f"case {case.name}: the waveform has {saved} points from the start of integration on, too few to "
                           f"tell what errs; save at least {LEAST_SAVED}, as the decks of `cosim compile` do")
    for k in range(len(case.initial)):
        volts = waveforms[nets.state_vector(k)]
        if not np.isfinite(volts).all():
            raise ResultsError(f"case {case.name}: {nets.state_vector(k)} is not finite at "
                               f"{waveforms.scale[np.argmin(np.isfinite(volts))]:.6g} s; simulate again")
    network = compiled.network
    fine = replace(case, samples=_points(network, case))
    twin = twin_states(waveforms, compiled.manifest, fine)
    return make_course(network, fine, compiled.manifest.scales, reference(network, fine), twin)


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
