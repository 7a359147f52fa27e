"""The solver's share of the waveform error: one deck, settings tightened one by one, beside the circuit error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuits.engine.door.guard import check_deck
from circuits.netlist.deck import write_files
from circuits.netlist.solver import ACCURATE, SOLVERS, Solver
from circuits.netlist.solver_variation import SolverVariation
from cosim.console import Progress
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_folder_network
from cosim.problem.case import Case
from cosim.problem.reference import reference
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.simulation.twin_states import twin_states

AS_COMPILED = "as compiled"
LONGER = (1, 2, 4)  # times the deck's largest step
# What could be chosen instead, by its name in the table.
CANDIDATES = {name if factor == 1 else f"{name}, {factor} times the step": (name, factor)
              for name in SOLVERS for factor in LONGER}
LIMIT = 0.1  # of the circuit error: above it, the tolerances would be what is reported as a property of the board


@dataclass(frozen=True, kw_only=True)
class Row:
    """One setting: how far it is from the tightest one, parts of full scale; None for that one itself."""

    name: str
    points: int
    max: float | None
    rms: float | None


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """All settings of one deck. Errors are in parts of the torch solution's largest magnitude."""

    case: str
    rows: tuple[Row, ...]  # as compiled first
    methods_apart: float  # max, Gear against trapezoidal where both are tightest: what the reference itself is worth
    circuit_max: float  # as compiled, against torch
    circuit_rms: float

    @property
    def share(self) -> float:
        """Solver error as compiled over the circuit error, the larger of both norms."""
        return self._share(self.rows[0])

    @property
    def allowed(self) -> tuple[str, ...]:
        """Names of the candidates whose error is at most :data:`LIMIT` of the circuit error."""
        return tuple(row.name for row in self.rows if row.name in CANDIDATES and self._share(row) <= LIMIT)

    def _share(self, row: Row) -> float:
        return max(row.max / self.circuit_max, row.rms / self.circuit_rms)


def settings(factor: float) -> list[SolverVariation]:
    """As compiled; its tolerances and its step tightened; what could be chosen instead; both methods with everything tightened.

    The last but one is the reference.
    """
    tight = 1 / factor
    return [
        SolverVariation(name=AS_COMPILED), SolverVariation(name="tolerances", tolerance=tight),
        SolverVariation(name="largest step", step=tight),
        *(SolverVariation(name=name, solver=SOLVERS[solver], step=longer) for name, (solver, longer) in CANDIDATES.items()),
        SolverVariation(name="both, trapezoidal", tolerance=tight, step=tight, solver=ACCURATE),
        SolverVariation(name="both, Gear", tolerance=tight, step=tight, solver=Solver(method="gear"))]


def convergence(manifest: Manifest, case: Case, folder: Path, out: Path, *, factor: float, workers: int, timeout: float,
                progress: Progress | None = None) -> Convergence:
    """Simulate a case with every setting; what is current is not run again.

    Args:
        folder: holds the case's deck.
        out: decks and waveforms of the settings go below it.
        factor: by which tolerances and step are tightened.
    Raises:
        circuits.errors.CircuitError: the deck cannot be changed, or a run failed.
        ResultsError: the factor tightens nothing, or there is no circuit error to compare with.
    """
    if not factor > 1:
        raise ResultsError(f"factor {factor:g} tightens nothing; give one above 1, e.g. 10")
    tried = settings(factor)
    files = {file.relative: file for file in check_deck(folder / f"{case.name}.cir")}
    runs = []
    for one in tried:
        place = out / one.name.replace(", ", "_").replace(" ", "_")
        write_files(place, one.apply(files, f"{case.name}.cir"))
        runs.append(Run(deck=place / f"{case.name}.cir", vectors=place / f"{case.name}.parquet",
                        label=f"{case.name}, {one.name}"))
    simulate(runs, workers=workers, timeout=timeout, progress=progress)
    waves = [read_vectors(run.vectors) for run in runs]
    states = [twin_states(one, manifest, case) for one in waves]
    torch = reference(read_folder_network(manifest), case)
    full_scale = np.abs(torch).max()
    if not full_scale:
        raise ResultsError(f"case {case.name}: the torch solution is zero throughout; choose another case")

    def apart(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
        error = np.abs(one - other) / full_scale
        return float(error.max()), float(np.sqrt(np.mean(error**2)))

    tightest = states[-2]
    rows = []
    for one, wave, state in zip(tried, waves, states, strict=True):
        largest, rms = (None, None) if state is tightest else apart(state, tightest)
        rows.append(Row(name=one.name, points=len(wave), max=largest, rms=rms))
    circuit_max, circuit_rms = apart(states[0], torch)
    return Convergence(case=case.name, rows=tuple(rows), methods_apart=apart(states[-1], tightest)[0], circuit_max=circuit_max,
                       circuit_rms=circuit_rms)
