"""Why one run of a board differs from torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.engine.waveforms import Waveforms
from cosim.behavioural.from_folder import read_blueprint
from cosim.diagnosis.amplification import Amplification, amplification
from cosim.diagnosis.course import Course, course_of
from cosim.diagnosis.horizon import Horizon, horizon
from cosim.diagnosis.other_speeds import Speed, other_speeds
from cosim.diagnosis.overdriven import Overdriven, overdriven
from cosim.diagnosis.parting import Neurons, neurons
from cosim.diagnosis.shares import Shares, shares
from cosim.diagnosis.sources import view
from cosim.diagnosis.time_shift import TimeShift, time_shift
from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork

LEAST_WINDOW = 20  # points of the course; a board that is off from the start on is looked at that far


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseDiagnosis:
    """Everything that is told of one case."""

    label: str  # of the case, with its board where there are several
    lead: float  # s, circuit time, that the board was compiled with
    corrected: bool  # trimmed, or corrected as the board of a fitted network
    course: Course
    horizons: tuple[Horizon, ...]  # one per state
    shifts: tuple[TimeShift, ...]  # one per state
    amplification: Amplification
    neurons: Neurons | None  # None: there are none, or they were not saved
    overdriven: tuple[Overdriven, ...]  # signals that leave the linear range up to the horizon
    shares: Shares | None  # None: ``unknown`` says why the behavioural model cannot tell
    speeds: tuple[Speed, ...]  # the board as it is first; empty where shares is None
    unknown: str

    @property
    def first_state(self) -> int:
        """The state that passes the limit first; where none does, the one whose error is largest."""
        if any(one.passed for one in self.horizons):
            return min(range(len(self.horizons)), key=lambda k: (not self.horizons[k].passed, self.horizons[k].time))
        return int(np.argmax(np.abs(self.course.error).max(axis=0)))

    @property
    def horizon(self) -> Horizon:
        """Of the state that parts first."""
        return self.horizons[self.first_state]

    @property
    def lyapunov_times(self) -> float | None:
        """The horizon in Lyapunov times; None where the system does not amplify."""
        return self.horizon.time / self.amplification.e_fold if self.amplification.amplifies else None

    @property
    def largest_error(self) -> float:
        """Of any state, part of full scale."""
        return float(np.abs(self.course.error).max())


def diagnose_case(compiled: CompiledNetwork, case: str, waveforms: Waveforms, label: str = "") -> CaseDiagnosis:
    """Diagnose a simulated case of a compiled network, of any fidelity.

    Args:
        waveforms: node voltages [V] over circuit time [s].
        label: how it is called; "": as the case.
    Raises:
        ResultsError: there is no such case; or a run that ended early, has too few points, or holds a value that is not finite.
        circuits.errors.CircuitError: a state line was not saved, or a file of the folder is damaged.
        training.errors.SolverError: torch's own solution leaves the finite numbers.
    """
    if case not in compiled.cases:
        raise ResultsError(f"no case {case!r} was compiled; there are {', '.join(compiled.cases)}")
    manifest = compiled.manifest
    course, saved = course_of(compiled, compiled.cases[case], waveforms)
    horizons = tuple(horizon(course.times, column) for column in course.error.T)
    first = min((one.time for one in horizons if one.passed), default=float(course.times[-1]))
    window = min(max(int(np.floor(first / course.step + 1e-9)) + 1, LEAST_WINDOW), len(course.times))
    grows = amplification(course)
    seen = window if grows.amplifies else len(course.times)  # a chaotic run that has parted is no shifted one
    shifts = tuple(time_shift(course.times[:seen], course.reference[:seen, k], course.twin[:seen, k])
                   for k in range(len(horizons)))
    unknown = _unknown(compiled)
    told, speeds = None, []
    if not unknown:
        blueprint = read_blueprint(compiled.folder)
        told = shares(course, view(course, blueprint), window)
        speeds = other_speeds(course, blueprint, manifest.lead, told.lag, window)
    return CaseDiagnosis(
        label=label or case, lead=manifest.lead, corrected=manifest.trim or manifest.fitted is not None, course=course,
        horizons=horizons, shifts=shifts, amplification=grows,
        neurons=neurons(saved, waveforms, compiled.network, manifest.scales),
        overdriven=tuple(overdriven(course, manifest.ranges, window)),
        shares=told, speeds=tuple(speeds), unknown=unknown)


def _unknown(compiled: CompiledNetwork) -> str:
    """Why the behavioural model cannot tell what errs; "": it can."""
    if compiled.manifest.corner:
        return f"the decks are at the corner {compiled.manifest.corner}, and the behavioural model is that of the nominal board"
    if any(layer.kappa for layer in compiled.board.layers):
        return "memristors with a kappa have no behavioural model"
    return ""

