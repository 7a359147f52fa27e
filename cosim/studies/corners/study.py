"""A twin at many corners: simulated, held against the bounds that were stated before, and what each error comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from circuits.board.testbench import SUPPLY
from circuits.corners.corner import CORNERS, Corner
from circuits.errors import SeveralFailed, SimulationError
from circuits.stages.clamp import CLAMP_ONSET
from cosim.behavioural.corner import board_at
from cosim.behavioural.from_folder import read_blueprint
from cosim.comparison.clamp_hits import clamp_hits
from cosim.compiler.scaling import SWING
from cosim.console import Console, Progress
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_folder_network
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.simulation.twin_states import twin_states
from cosim.store.files import check_writable
from cosim.studies.corners.bound import bound_of, predict
from cosim.studies.corners.folder import NominalFolder, read_nominal
from cosim.studies.corners.row import CLAIM, CornerCase, CornerRow, TwinError

BEYOND = 0.1  # V, by which a saved node may pass the supplies
EXPLAINS = 0.9  # of a corner's error: what must be left at most without the effect that is named as its cause


@dataclass(frozen=True, kw_only=True, eq=False)
class CornerStudy:
    """A compiled folder and where its corners go."""

    manifest: Manifest  # of the nominal decks
    root: Path  # a folder a corner below it
    console: Console
    workers: int
    timeout: float  # s a deck
    force: bool = False

    def run(self, corners: Sequence[Corner]) -> list[CornerRow]:
        """Every case at every corner; what is current is not simulated again. The nominal board always comes first.

        A corner beyond the claim is simulated again without each of its effects. A run that fails does not end the study, it
        is told in its corner's row.

        Raises:
            ResultsError, circuits.errors.CircuitError: the folder is not one of ours, or a corner changes nothing in it; the
                results cannot be written; a state at rest, of which no error in parts of full scale can be told.
        """
        check_writable(self.root)
        nominal = read_nominal(self.manifest)
        self._check_scales(nominal)
        rows = {row.corner: row for row in self._rows(nominal, list(dict.fromkeys([CORNERS["nominal"], *corners])), "corners")}
        flagged = [row for row in rows.values() if row.verdict == "flagged"]
        apart = {one for row in flagged for one in row.corner.without().values()} - rows.keys()
        causes = self._rows(nominal, sorted(apart, key=lambda one: one.name), "causes") if apart else []
        measured = rows | {row.corner: row for row in causes}
        return [explained(row, measured) if row in flagged else row for row in rows.values()]

    def _check_scales(self, nominal: NominalFolder) -> None:
        for name, states in nominal.expected.items():
            if (rest := np.flatnonzero(~states.any(axis=0))).size:
                raise ResultsError(f"{self.manifest.folder}, case {name}: torch keeps state x{rest[0]} at 0 throughout, so "
                                   "that errors in parts of its largest value have no meaning; give the case an initial state "
                                   "or a stimulus that moves it, or leave it out; `cosim compare` tells absolute errors")

    def _rows(self, nominal: NominalFolder, corners: Sequence[Corner], what: str) -> list[CornerRow]:
        blueprint, network = read_blueprint(self.manifest.folder), read_folder_network(self.manifest)
        cases, expected, bounds = self.manifest.cases, nominal.expected, {}
        for corner in corners:
            board = board_at(blueprint, corner)
            bounds |= {(corner, name): bound_of(predict(board, blueprint.scales, network, case, expected[name]))
                       for name, case in cases.items()}
            nominal.write(self.root / corner.name, corner)
        with self.console.overall(what, len(corners) * len(cases)) as bars:
            failures = {corner: self._simulate(corner, bars) for corner in corners}
        rows = []
        for corner in corners:
            found = []
            for name, case in cases.items():
                one = CornerCase(case=name, bound=bounds[corner, name], failure=failures[corner].get(name, ""))
                if not one.failure:
                    waves = read_vectors(self._vectors(corner, name))
                    swing = SWING - SUPPLY * (1 - corner.supply)
                    one = replace(one, clamp_hits=clamp_hits(waves, CLAMP_ONSET, swing),
                                  error=TwinError.between(expected[name], twin_states(waves, self.manifest, case)))
                found.append(one)
            rows.append(CornerRow(corner=corner, cases=tuple(found)))
        return rows

    def _simulate(self, corner: Corner, progress: Progress) -> dict[str, str]:
        """Case -> why its run failed."""
        runs = [Run(deck=self.root / corner.name / f"{name}.cir", vectors=self._vectors(corner, name),
                    label=f"{corner.name} {name}") for name in self.manifest.cases]
        try:
            simulate(runs, workers=self.workers, timeout=self.timeout, force=self.force, progress=progress,
                     max_voltage=corner.supply * SUPPLY + BEYOND)
        except SeveralFailed as several:
            return {one.deck.stem: f"{one.kind}: {one.message}" for one in several.failures}
        except SimulationError as one:
            if one.deck is None:  # no engine
                raise
            return {one.deck.stem: f"{one.kind}: {one.message}"}
        return {}

    def _vectors(self, corner: Corner, name: str) -> Path:
        return self.root / corner.name / "vectors" / f"{name}.parquet"


def explained(row: CornerRow, measured: dict[Corner, CornerRow]) -> CornerRow:
    """A flagged row with its cause, or with why what was measured tells none.

    Args:
        measured: the nominal board, and the row's corner without each of its effects.
    """
    left = {effect: measured[one] for effect, one in row.corner.without().items()}
    if broken := [f"{one.corner.name}, {one.trouble}" for one in left.values() if one.trouble]:
        return replace(row, unexplained="beyond the claim, and its cause is not known: " + "; ".join(broken))
    without = dict(sorted(((effect, one.error) for effect, one in left.items()), key=lambda one: _claims(one[1])))
    if without and _claims(next(iter(without.values()))) <= EXPLAINS * _claims(row.error):
        return replace(row, without=without)
    if measured[CORNERS["nominal"]].verdict != "within":
        return row
    told = ", ".join(f"without {effect} {one}" for effect, one in without.items())
    return replace(row, unexplained=f"beyond the claim, and none of its effects explains that: {told}")


def _claims(error: TwinError) -> float:
    """How many times the claim."""
    return max(error.mre / CLAIM.mre, error.max / CLAIM.max)
