"""One network layer: its arrays, and one amplifier per source line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySpice.Spice.Netlist import SubCircuit

from circuits.array.cell import cell_1t1r
from circuits.array.crossbar import SIZE, memristor_array
from circuits.array.macromodel import Reduced, array_macro, reduce_array
from circuits.array.merged import merged_arrays
from circuits.array.select_transistor import SelectTransistor
from circuits.array.tiling import Tile, tile_layer
from circuits.array.wires import Wires
from circuits.board import nets
from circuits.errors import CircuitError
from circuits.netlist.block import Block
from circuits.stages.inverter import inverter
from circuits.stages.rectifier import rectifier
from circuits.stages.relu_tia import relu_tia
from circuits.stages.tia import clamped_tia, tia

NEURONS = ("relu_tia", "two_stage")
R_BOARD = 1.0  # ohm, package and board of one line: 1 to 5 ohm (assumed for a socketed package)


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """Shape and feedback of one layer; as many 32x32 arrays as it needs."""

    name: str  # net-safe, e.g. hidden_1
    n_inputs: int  # without the bias
    n_outputs: int
    bias: bool
    relu: bool
    r_f: float  # ohm
    all_cells: bool = True  # False leaves out the rows whose word line is off, which conduct nothing
    last: bool = False  # feeds the integrators; its output is single-ended and drives no array
    neuron: str = "relu_tia"  # circuit of a ReLU: "relu_tia", or "two_stage": tia, then rectifier
    wires: Wires = field(default_factory=Wires)
    transistor: SelectTransistor = field(default_factory=SelectTransistor)
    kappa: float = 0.0  # 1/V, nonlinearity of the memristors; above 0 they have no macromodel
    r_board: float = R_BOARD  # ohm, from the trunk of a line to each tile, where the layer has more than one tile
    undriven: str = ""  # "p" or "n": the line of an input's pair that nothing drives while its neuron is off; "": none
    common_offset: bool = False  # whether all op-amps have one offset, a voltage that is then common to the source lines

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.name):  # it names files, too
            raise CircuitError(f"layer {self.name!r}: use lower-case letters, digits and underscores for its name")
        if self.neuron not in NEURONS:
            raise CircuitError(f"layer {self.name}: neuron {self.neuron!r}; a ReLU is a {' or a '.join(NEURONS)}")
        if self.last and self.relu and self.neuron == "two_stage":
            raise CircuitError(f"layer {self.name}: the last layer's ReLU must be a relu_tia, whose sign the integrators take")
        if self.undriven not in ("", "p", "n"):
            raise CircuitError(f"layer {self.name}: undriven {self.undriven!r}; it is 'p', 'n' or '', the line of a pair")

    @property
    def two_stage(self) -> bool:
        """A ReLU of two stages, whose own line is +h."""
        return self.relu and self.neuron == "two_stage"

    @property
    def off_line(self) -> str:
        """Line of an output's pair that a diode lets go while the neuron is off; :attr:`undriven` of the layer behind."""
        return ("p" if self.two_stage else "n") if self.relu else ""

    @property
    def n_bit_lines(self) -> int:
        """Bit lines in use: two per input, and two for the bias."""
        return 2 * (self.n_inputs + self.bias)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The layer's arrays, row by row of the floor plan."""
        return tile_layer(self.name, self.n_outputs, self.n_bit_lines)

    @property
    def r_port(self) -> float:
        """Board wire in series with every pin of a tile [ohm]; 0 where one array is wired straight to the layer's pins."""
        return 0.0 if self.is_one_tile else self.r_board

    @property
    def hanging(self) -> tuple[int, ...]:
        """Bit lines that may hang: nothing drives them while their neuron is off. The bias, the last pair, is driven."""
        return tuple(2 * j + (self.undriven == "n") for j in range(self.n_inputs)) if self.undriven else ()

    @property
    def one_way(self) -> bool:
        """Whether a macromodel lets nothing flow back into lines that hang; one array, or an offset, must."""
        return not (self.is_one_tile or self.common_offset)

    @property
    def is_one_tile(self) -> bool:
        """Whether the layer is one array, whose pins are wired straight to the layer's."""
        return len(self.tiles) == 1


def reduce_layer(spec: LayerSpec, conductances: Sequence[np.ndarray]) -> dict[str, Reduced]:
    """The reduced arrays of a layer: what each conducts between its pins, without the cells inside.

    Args:
        conductances: one (32, 32) array per tile [S], as programmed.
    Returns:
        Reduced array of each tile, by the tile's name.
    """
    r_port = spec.r_port
    return {tile.name: reduce_array(g, n_outputs=tile.n_outputs, wires=spec.wires, transistor=spec.transistor, r_port=r_port)
            for tile, g in zip(spec.tiles, conductances, strict=True)}


def layer(spec: LayerSpec, reduced: Mapping[str, Reduced] | None = None) -> Block:
    """Arrays, transimpedance amplifiers and inverters of one layer.

    Pins: a pair x<j>_p x<j>_n per input, the pair bias_p bias_n if the layer has a bias, a pair h<k>_p h<k>_n per output
    (the last layer has one pin d<k> per output instead), then the supplies vcc and vee.

    Args:
        reduced: reduced array of each tile, by the tile's name, of which macromodels are drawn; None: every cell is drawn.
    """
    inputs = [line for j in range(spec.n_inputs) for line in nets.pair(nets.layer_input(j))]
    if spec.bias:
        inputs += nets.pair("bias")
    neurons = [nets.pair(nets.layer_output(k)) for k in range(spec.n_outputs)]
    outputs = [nets.derivative(k) for k in range(spec.n_outputs)] if spec.last else [line for pair in neurons for line in pair]
    two_stage = spec.two_stage
    stage = tia() if two_stage or (spec.last and not spec.relu) else relu_tia() if spec.relu else clamped_tia()
    s = SubCircuit(f"layer_{spec.name}", *inputs, *outputs, "vcc", "vee")
    arrays = []
    if reduced is not None and not spec.is_one_tile:
        arrays.append(layer_arrays(spec, reduced))
        s.X("arrays", arrays[0].name, *inputs, *(f"sl{k}" for k in range(spec.n_outputs)), "vee")
    for tile in () if arrays else spec.tiles:
        array = tile_array(tile, spec, reduced)
        arrays.append(array)
        lines = inputs[tile.lines]
        sums = [f"sl{k}" for k in range(spec.n_outputs)][tile.outputs]
        if not spec.is_one_tile:
            lines, sums = _wired(s, tile, "bl", lines, spec.r_board), _wired(s, tile, "sl", sums, spec.r_board)
        unused = SIZE - tile.n_outputs
        s.X("array" + tile.name.removeprefix(spec.name), array.name, *lines, *["0"] * (SIZE - tile.n_lines),
            *sums, *["0"] * unused, *["vcc"] * tile.n_outputs, *["vee"] * unused, "vee")
    for k in range(spec.n_outputs):
        plus, minus = neurons[k]
        native = nets.linear(k) if two_stage else nets.derivative(k) if spec.last else minus
        s.X(f"neuron{k}", stage.name, f"sl{k}", native, "vcc", "vee", r_f=spec.r_f)
        if two_stage:
            s.X(f"rect{k}", "rectifier", native, plus, "vcc", "vee")
            s.X(f"inv{k}", "inverter", plus, minus, "vcc", "vee")
        elif not spec.last:
            s.X(f"inv{k}", "inverter", native, plus, "vcc", "vee")
    return Block(
        netlist=s,
        purpose=f"h = {'relu(W x + b)' if spec.relu else 'W x + b'}, {spec.n_inputs} inputs, {spec.n_outputs} outputs"
        + ("; d = -h, the integrator inverts once more" if spec.last else "; _p carries +h, _n carries -h"),
        pins={
            "x0_p x0_n ..": "inputs, a pair each: +v and -v",
            **({"bias_p bias_n": "bias voltage and its inverse"} if spec.bias else {}),
            ("d0 .." if spec.last else "h0_p h0_n .."): "outputs",
            "vcc vee": "supplies, +2.5 V and -2.5 V; vcc selects the word lines in use, vee turns the others off",
            **({} if spec.is_one_tile or reduced else {
                "r_bl_<row>_<column>_<k> r_sl_..": "board wire of a tile's line [ohm]; tiles of one output share its TIA"}),
        },
        drawing=_TWO_STAGE.format(name=spec.name) if two_stage else f"""
            pairs --[array_{spec.name}]-- sl<k> --[{stage.name}]--+-- {'d<k>' if spec.last else 'h<k>_n'}
        """ + ("" if spec.last else "                                              +--[inverter]-- h<k>_p\n        "),
        uses=(*arrays, stage, *((rectifier(),) if two_stage else ()), *(() if spec.last else (inverter(),))),
        notes={f"xneuron{k}": "r_f in ohm" for k in range(spec.n_outputs)},
    )


_TWO_STAGE = """
    pairs --[array_{name}]-- sl<k> --[tia]-- z<k> --[rectifier]--+-- h<k>_p
                                                                 +--[inverter]-- h<k>_n
"""


def tile_array(tile: Tile, spec: LayerSpec, reduced: Mapping[str, Reduced] | None = None) -> Block:
    """The array of one of a layer's tiles; a macromodel where the tile is the whole layer.

    Args:
        reduced: as in :func:`layer`.
    Raises:
        CircuitError: the memristors are nonlinear, so that they have no macromodel.
    """
    if reduced is None:
        cell = cell_1t1r(spec.wires, spec.transistor, spec.kappa)
        return memristor_array(tile.name, cell, rows=SIZE if spec.all_cells else tile.n_outputs)
    _check_linear(spec)
    return array_macro(tile.name, reduced[tile.name], n_lines=tile.n_lines, wires=spec.wires, hanging=spec.hanging,
                       one_way=spec.one_way)


def layer_arrays(spec: LayerSpec, reduced: Mapping[str, Reduced]) -> Block:
    """The macromodel of all arrays of a layer of several, board wires inside.

    Raises:
        CircuitError: as :func:`tile_array`.
    """
    _check_linear(spec)
    return merged_arrays(spec.name, spec.tiles, reduced, wires=spec.wires, hanging=spec.hanging, one_way=spec.one_way)


def _check_linear(spec: LayerSpec) -> None:
    if spec.kappa:
        raise CircuitError(f"layer {spec.name}: memristors with kappa = {spec.kappa} 1/V have no macromodel, "
                           "use fidelity flat or kappa = 0")


def _wired(s: SubCircuit, tile: Tile, kind: str, trunk: list[str], r_board: float) -> list[str]:
    """A tile's pins, each at the end of its own board wire from the layer's trunk."""
    pins = [f"{kind}_{tile.row}_{tile.column}_{k}" for k in range(len(trunk))]
    for node, pin in zip(trunk, pins, strict=True):
        s.R(f"_{pin}", node, pin, r_board)
    return pins
