"""A compiled board read back from its folder: topology from the manifest, conductances from their files."""

from __future__ import annotations

import numpy as np
from torch import nn

from circuits.array.conductances import read_conductances
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec
from circuits.corners.files import corner_of
from circuits.errors import CircuitError
from cosim.errors import ResultsError
from cosim.folder.manifest import NAME, Manifest
from cosim.problem.network import network_hash, read_network
from training.checkpoint import load


def read_board(manifest: Manifest) -> BoardSpec:
    """Topology of a folder written by `cosim compile`, of either fidelity; nothing of it is reduced.

    Raises:
        ResultsError: a field that is needed is missing, or damaged; or the decks are at a corner, of which the manifest knows
            nothing.
    """
    for deck in (manifest.folder / f"{name}.cir" for name in manifest.cases):
        if deck.is_file() and (corner := corner_of(deck.read_text())):
            raise ResultsError(f"{deck} is at corner {corner}, of which the board in {NAME} knows nothing; name the folder of "
                               "the nominal decks")
    try:
        integrator = manifest.raw["integrator"]
        return BoardSpec(layers=_layers(manifest), columns=manifest.columns, r_in=float(integrator["r_in"]),
                         c_int=float(integrator["c_int"]), c_lead=float(integrator["c_lead"]))
    except (LookupError, TypeError, ValueError, CircuitError) as error:
        raise ResultsError(f"{manifest.folder / NAME} is damaged ({type(error).__name__}: {error}); compile again") from error


def read_programmed(manifest: Manifest, board: BoardSpec) -> tuple[tuple[np.ndarray, ...], ...]:
    """Conductances as programmed, a layer, a tile: (32, 32) [S].

    Raises:
        circuits.errors.CircuitError: a conductance file is missing or incomplete.
    """
    return tuple(tuple(read_conductances(manifest.folder / "conductances" / f"{tile.name}.inc") for tile in spec.tiles)
                 for spec in board.layers)


def read_model(manifest: Manifest) -> nn.Module:
    """The network that a folder was compiled from.

    Raises:
        ResultsError: the folder's weights are others.
        training.errors.CheckpointError: they are missing or damaged.
    """
    model = load(manifest.weights, remedy="compile again").net
    if network_hash(read_network(model)) != manifest.weights_sha256:
        raise ResultsError(f"{manifest.weights} does not hold the weights that the decks were compiled from; compile again")
    return model


def _layers(manifest: Manifest) -> tuple[LayerSpec, ...]:
    raw = manifest.raw
    wires = Wires(**raw["wires"])
    transistor = SelectTransistor(**{k: v for k, v in raw["transistor"].items() if k != "on_resistance"})
    made = []
    for n_inputs, one in zip(manifest.widths, raw["layers"], strict=False):
        bias = one["n_bit_lines"] // 2 - n_inputs
        if bias not in (0, 1):
            raise ValueError(f"layer {one['name']} has {n_inputs} inputs and {one['n_bit_lines']} bit lines")
        made.append(LayerSpec(
            name=one["name"], n_inputs=n_inputs, n_outputs=one["n_outputs"], bias=bool(bias), relu=one["relu"],
            r_f=float(one["r_f"]), last=one is raw["layers"][-1], neuron=raw["neuron"], wires=wires, transistor=transistor,
            r_board=float(raw["r_board"]), kappa=float(raw["kappa"]), undriven=made[-1].off_line if made else ""))
    return tuple(made)
