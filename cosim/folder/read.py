"""A compiled board read back from its folder: topology from the manifest, conductances from their files."""

from __future__ import annotations

from dataclasses import replace
from zipfile import BadZipFile

import numpy as np

from circuits.array.conductances import read_conductances
from circuits.board.board import BoardSpec
from cosim.errors import ResultsError
from cosim.folder.case_fields import TRUTH
from cosim.folder.corner import check_nominal
from cosim.folder.decks import DeckPlan
from cosim.folder.manifest import CALL, CALL_CONSTANTS, MANIFEST_NAME, Manifest
from cosim.problem.as_called import AsCalled, decode
from cosim.problem.network import Network, read_network
from training.checkpoint import load


def read_board(manifest: Manifest) -> BoardSpec:
    """Topology of a folder written by `cosim compile`, of either fidelity; nothing of it is reduced.

    Raises:
        ResultsError: the decks are at a corner, of which this board knows nothing.
    """
    check_nominal(manifest)
    return manifest.board


def read_plan(manifest: Manifest) -> DeckPlan:
    """What the nominal decks of a folder were rendered from; the arrays, of either fidelity, are not reduced.

    Raises:
        ResultsError: as :func:`read_board`.
    """
    return DeckPlan(subject=manifest.subject, board=read_board(manifest), scales=manifest.scales, widths=manifest.widths,
                    weights_sha256=manifest.weights_sha256, solver=manifest.solver, max_step=manifest.max_step)


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
    if manifest.fitted is not None and not manifest.call_sha256:
        raise ResultsError(f"{manifest.folder / MANIFEST_NAME} is damaged (fitted, but to nothing); compile again")
    if not manifest.call_sha256:
        return network
    return replace(network, as_called=_as_called(manifest), fitted=manifest.fitted)


def read_truth(manifest: Manifest, case: str) -> np.ndarray | None:
    """What the system really does in a case, (samples, n_states), model units; None: it is not known.

    Raises:
        ResultsError: the file is missing, or another than the one that was compiled.
    """
    if case not in manifest.truths:
        return None
    record, wanted = manifest.truths[case], manifest.cases[case]
    truth = record.read(manifest.folder).get(TRUTH)
    if truth is None or truth.shape != (wanted.samples, len(wanted.initial)):
        raise ResultsError(f"{manifest.folder / record.file} does not hold {wanted.samples} samples of {len(wanted.initial)} "
                           "states; compile again")
    return truth


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
