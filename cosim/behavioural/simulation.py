"""Running a folder of decks on the behavioural model: the same Parquet files, no simulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from cosim.behavioural.board import make_board
from cosim.behavioural.from_folder import read_blueprint
from cosim.behavioural.integrate import solve
from cosim.behavioural.waveforms import vectors
from cosim.console import Progress
from cosim.folder.manifest import MANIFEST_NAME, read_manifest
from cosim.simulation.decks import Run
from cosim.store.files import content_key, is_current, write_frame
from cosim.store.sources import source_key

FIDELITY = "behavioural"


def folder_key(folder: Path) -> str:
    """Identity of a behavioural result: manifest, conductances and this model's code; never that of an ngspice result."""
    data = [folder / MANIFEST_NAME, *sorted((folder / "conductances").glob("*.inc"))]
    return content_key([FIDELITY, source_key("cosim.behavioural"), *(path.read_bytes() for path in data)])


@torch.no_grad()
def simulate_behavioural(folder: Path, runs: Sequence[Run], *, force: bool = False, steps: int | None = None,
                         progress: Progress | None = None) -> list[Run]:
    """Simulate what is not simulated yet; every result is stored as soon as it is there.

    Args:
        folder: made by `cosim compile`; its decks are not run.
        runs: whose decks' names are cases of the manifest.
        steps: see :func:`cosim.behavioural.integrate.solve`.
    Returns:
        The runs that were simulated now; the others were current.
    Raises:
        ResultsError, CircuitError, CosimError: what is wrong with the folder, or a solution that is not finite.
    """
    blueprint, manifest = read_blueprint(folder), read_manifest(folder)
    key = folder_key(Path(folder))
    wanted = [run for run in runs if force or not is_current(run.vectors, key)]
    board = make_board(blueprint) if wanted else None
    for run in wanted:
        if progress is not None:
            progress(run.label, 0.0)
        solution = solve(board, manifest.cases[run.deck.stem], manifest.scales, steps=steps)
        write_frame(run.vectors, vectors(board, blueprint, solution), key, fidelity=FIDELITY)
        if progress is not None:
            progress(run.label, 1.0)
    return wanted
