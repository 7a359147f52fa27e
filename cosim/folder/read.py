"""A compiled board read back from its folder: topology from the manifest, conductances from their files."""

from __future__ import annotations

import numpy as np
from torch import nn

from circuits.array.conductances import read_conductances
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec
from circuits.errors import CircuitError
from circuits.netlist.solver import Solver
from cosim.compiler.options import FIDELITIES
from cosim.errors import ResultsError
from cosim.folder.corner import check_nominal
from cosim.folder.decks import DeckPlan
from cosim.folder.manifest import NAME, Manifest
from cosim.problem.network import network_hash, read_network
from training.checkpoint import load


def read_board(manifest: Manifest) -> BoardSpec:
    """Topology of a folder written by `cosim compile`, of either fidelity; nothing of it is reduced.

    Raises:
        ResultsError: a field that is needed is missing, or damaged; or the decks are at a corner, of which this board knows
            nothing.
    """
    check_nominal(manifest)
    try:
        integrator = manifest.raw["integrator"]
        return BoardSpec(layers=_layers(manifest), columns=manifest.columns, r_in=float(integrator["r_in"]),
                         c_int=float(integrator["c_int"]), c_lead=float(integrator["c_lead"]))
    except (LookupError, TypeError, ValueError, CircuitError) as error:
        raise ResultsError(f"{manifest.folder / NAME} is damaged ({type(error).__name__}: {error}); compile again") from error


def read_plan(manifest: Manifest) -> DeckPlan:
    """What the nominal decks of a folder were rendered from; the arrays, of either fidelity, are not reduced.

    Raises:
        ResultsError: as :func:`read_board`.
    """
    board = read_board(manifest)
    try:
        solver = dict(manifest.raw["solver"])
        max_step = float(solver.pop("max_step"))
        return DeckPlan(subject=manifest.subject, board=board, scales=manifest.scales, widths=manifest.widths,
                        weights_sha256=manifest.weights_sha256, solver=Solver(**solver), max_step=max_step)
    except (LookupError, TypeError, ValueError, CircuitError) as error:
        raise ResultsError(f"{manifest.folder / NAME} is damaged ({type(error).__name__}: {error}); compile again") from error


def is_reduced(manifest: Manifest) -> bool:
    """Whether the folder's decks have macromodels for arrays.

    Raises:
        ResultsError: the manifest does not say.
    """
    fidelity = manifest.raw.get("fidelity")
    if fidelity not in FIDELITIES:
        raise ResultsError(f"{manifest.folder / NAME} is damaged (fidelity {fidelity!r} is none of {', '.join(FIDELITIES)}); "
                           "compile again")
    return fidelity == "macro"


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
            r_board=float(raw["r_board"]), kappa=float(raw["kappa"]), undriven=made[-1].off_line if made else "",
            all_cells=raw.get("all_cells", True)))
    return tuple(made)
