"""A blueprint from a folder of decks: its manifest and its conductance files."""

from __future__ import annotations

from pathlib import Path

from cosim.behavioural.blueprint import Blueprint
from cosim.folder.manifest import read_manifest
from cosim.folder.read import read_board, read_programmed


def read_blueprint(folder: Path) -> Blueprint:
    """Blueprint of a folder written by `cosim compile`, of either fidelity.

    Raises:
        ResultsError: no manifest, or one without a field that is needed; or decks at a corner.
        circuits.errors.CircuitError: a conductance file is missing or incomplete.
    """
    manifest = read_manifest(folder)
    board = read_board(manifest)
    return Blueprint(board=board, scales=manifest.scales, conductances=read_programmed(manifest, board))
