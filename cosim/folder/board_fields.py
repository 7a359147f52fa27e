"""A board's topology as fields of manifest.json, and back; the only place that knows their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec

LAYER_FIELDS = ("name", "n_outputs", "n_bit_lines", "relu", "r_f", "tiles")


def board_fields(board: BoardSpec) -> dict[str, Any]:
    """Topology as JSON fields; what an array is reduced to is not in it, it follows from the conductances.

    Every layer of a compiled board has the same wires, transistors, board wire, neuron circuit and kappa, which therefore
    stand once.
    """
    layer = board.layers[0]
    fields = {
        "columns": list(board.columns),
        "wires": asdict(layer.wires),
        "r_board": layer.r_board,
        "kappa": layer.kappa,
        "neuron": layer.neuron,
        "transistor": {**asdict(layer.transistor), "on_resistance": digits(layer.transistor.on_resistance())},
        "integrator": {"r_in": board.r_in, "c_int": board.c_int, "c_lead": board.c_lead},
        "layers": [_layer_fields(spec) for spec in board.layers],
    }
    if board.ic_shift:
        fields["integrator"]["ic_shift"] = board.ic_shift
    if not layer.all_cells:
        fields["all_cells"] = False
    return fields


def read_board_fields(fields: Mapping[str, Any], n_inputs: int) -> BoardSpec:
    """The board that :func:`board_fields` wrote.

    Args:
        fields: of the whole manifest; others are left alone.
        n_inputs: of the first layer.
    Raises:
        LookupError, TypeError, ValueError, CircuitError: a field is missing or wrong.
    """
    wires = Wires(**fields["wires"])
    transistor = SelectTransistor(**{name: value for name, value in fields["transistor"].items() if name != "on_resistance"})
    layers: list[LayerSpec] = []
    for layer in fields["layers"]:
        if missing := [name for name in LAYER_FIELDS if name not in layer]:
            raise KeyError(missing[0])
        bias = layer["n_bit_lines"] // 2 - n_inputs
        if bias not in (0, 1):
            raise ValueError(f"layer {layer['name']} has {n_inputs} inputs and {layer['n_bit_lines']} bit lines")
        layers.append(LayerSpec(
            name=layer["name"], n_inputs=n_inputs, n_outputs=layer["n_outputs"], bias=bool(bias), relu=layer["relu"],
            r_f=float(layer["r_f"]), all_cells=fields.get("all_cells", True), last=layer is fields["layers"][-1],
            neuron=fields["neuron"], wires=wires, transistor=transistor, r_board=float(fields["r_board"]),
            kappa=float(fields["kappa"]), undriven=layers[-1].off_line if layers else ""))
        n_inputs = layer["n_outputs"]
    integrator = fields["integrator"]
    return BoardSpec(layers=tuple(layers), columns=tuple(fields["columns"]), r_in=float(integrator["r_in"]),
                     c_int=float(integrator["c_int"]), c_lead=float(integrator["c_lead"]),
                     ic_shift=float(integrator.get("ic_shift", 0.0)))


def _layer_fields(spec: LayerSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "n_outputs": spec.n_outputs,
        "n_bit_lines": spec.n_bit_lines,
        "relu": spec.relu,
        "r_f": spec.r_f,
        "tiles": [{"name": tile.name, "first_output": tile.first_output, "first_line": tile.first_line,
                   "n_outputs": tile.n_outputs, "n_lines": tile.n_lines} for tile in spec.tiles],
    }


def digits(value: float) -> float:
    """Nine significant digits: beyond them two machines' linear algebra may differ."""
    return float(f"{value:.9g}")
