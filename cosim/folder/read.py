"""A compiled board read back from its folder: topology from the manifest, conductances from their files."""

from __future__ import annotations

from dataclasses import replace
from zipfile import BadZipFile

import numpy as np

from circuits.array.conductances import read_conductances
from circuits.board.board import BoardSpec
from circuits.corners.files import corner_of
from cosim.errors import ResultsError
from cosim.folder.manifest import CALL, CALL_CONSTANTS, MANIFEST_NAME, Manifest
from cosim.problem.as_called import AsCalled, decode
from cosim.problem.network import Network, read_network
from training.checkpoint import load


def read_board(manifest: Manifest) -> BoardSpec:
    """Topology of a folder written by `cosim compile`, of either fidelity; nothing of it is reduced.

    Raises:
        ResultsError: the decks are at a corner, of which the manifest knows nothing.
    """
    for deck in (manifest.folder / f"{name}.cir" for name in manifest.cases):
        if deck.is_file() and (corner := corner_of(deck.read_text())):
            raise ResultsError(f"{deck} is at corner {corner}, of which the board in {MANIFEST_NAME} knows nothing; name the "
                               "folder of the nominal decks")
    return manifest.board


def read_programmed(manifest: Manifest, board: BoardSpec) -> tuple[tuple[np.ndarray, ...], ...]:
    """Conductances as programmed, a layer, a tile: (32, 32) [S].

    Raises:
        circuits.errors.CircuitError: a conductance file is missing or incomplete.
    """
    return tuple(tuple(read_conductances(manifest.folder / "conductances" / f"{tile.name}.inc") for tile in spec.tiles)
                 for spec in board.layers)


def read_folder_network(manifest: Manifest) -> Network:
    """The network that a folder was compiled from.

    Raises:
        ResultsError: the folder's weights are others.
        training.errors.CheckpointError: they are missing or damaged.
    """
    network = read_network(load(manifest.weights, remedy="compile again").net, manifest.columns)
    if network.hash != manifest.weights_sha256:
        raise ResultsError(f"{manifest.weights} does not hold the weights that the decks were compiled from; compile again")
    return replace(network, as_called=_as_called(manifest)) if manifest.call_sha256 else network


def _as_called(manifest: Manifest) -> AsCalled:
    path, constants = manifest.folder / CALL, manifest.folder / CALL_CONSTANTS
    try:
        as_called = decode(path.read_text(), constants.read_bytes())
    except (OSError, ValueError, LookupError, TypeError, BadZipFile) as error:
        raise ResultsError(f"{path} or {constants.name} is missing or damaged ({type(error).__name__}: {error}); compile "
                           "again") from error
    if as_called.hash != manifest.call_sha256:
        raise ResultsError(f"{path} and {constants.name} are not those that the decks were compiled from; compile again")
    return as_called
