"""The closed loop: input buffers, layers and integrators, wired as one board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit

from circuits.array.crossbar import SIZE
from circuits.array.macromodel import Reduced
from circuits.board import nets
from circuits.board.layer import LayerSpec, layer
from circuits.errors import CircuitError
from circuits.netlist.block import Block
from circuits.stages.follower import follower
from circuits.stages.inverter import inverter
from circuits.stages.ivp_integrator import ivp_integrator


@dataclass(frozen=True, kw_only=True)
class BoardSpec:
    """What the compiler decided about a board: enough to draw every wire. The conductances are in files of their own."""

    layers: tuple[LayerSpec, ...]
    columns: tuple[str, ...]  # what drives each input of the first layer: u0, u1, ... and x0, x1, ...
    r_in: float  # ohm, input resistor of the integrators
    c_int: float  # F, capacitor of the integrators
    c_lead: float = 0.0  # F, lead capacitor across r_in; 0: none
    reduced: Mapping[str, Reduced] | None = None  # reduced array of each tile, by name, for macromodels; None: every cell

    def __post_init__(self) -> None:
        fed_by = ""
        for spec in self.layers:
            if spec.undriven != fed_by:
                raise CircuitError(f"layer {spec.name}: undriven {spec.undriven!r}, but the layer before it lets go {fed_by!r}")
            fed_by = spec.off_line
        if len(self.columns) != self.layers[0].n_inputs:
            raise CircuitError(
                f"{len(self.columns)} columns for a first layer of {self.layers[0].n_inputs} inputs: give one per input"
            )

    @property
    def n_states(self) -> int:
        return self.layers[-1].n_outputs

    @property
    def n_external(self) -> int:
        return sum(nets.parse_column(column).kind == "external" for column in self.columns)

    @property
    def any_bias(self) -> bool:
        return any(spec.bias for spec in self.layers)


def board_pins(spec: BoardSpec) -> tuple[str, ...]:
    """The board's pins in order: generators, initial conditions, reference, control, state lines, supplies."""
    generators = tuple(nets.external_column(k) for k in range(spec.n_external))
    initial = tuple(nets.initial_condition(k) for k in range(spec.n_states))
    states = tuple(nets.plus_line(nets.state_column(k)) for k in range(spec.n_states))
    return (*generators, *initial, nets.REFERENCE, nets.SELECT, *states, "vcc", "vee")


def board(spec: BoardSpec) -> Block:
    """The analogue computer, d x/dt = network(u, x). Pins: see :func:`board_pins`."""
    s = SubCircuit("board", *board_pins(spec))
    blocks = [layer(layer_spec, spec.reduced) for layer_spec in spec.layers]
    for k in range(spec.n_external):
        signal = nets.external_column(k)
        plus, minus = nets.pair(signal)
        s.X(signal, "follower", signal, plus, "vcc", "vee")
        s.X(f"{signal}_inv", "inverter", plus, minus, "vcc", "vee")
    bias: tuple[str, ...] = ()
    if spec.any_bias:
        bias = nets.pair("bias")
        s.X("bias", "follower", nets.REFERENCE, bias[0], "vcc", "vee")
        s.X("bias_inv", "inverter", *bias, "vcc", "vee")
    lines = [line for column in spec.columns for line in nets.pair(column)]
    for number, (layer_spec, block) in enumerate(zip(spec.layers, blocks, strict=True), start=1):
        last = number == len(blocks)
        outputs = (
            [nets.derivative(k) for k in range(layer_spec.n_outputs)]
            if last
            else [line for k in range(layer_spec.n_outputs) for line in nets.pair(nets.hidden(number, k))]
        )
        s.X(layer_spec.name, block.name, *lines, *(bias if layer_spec.bias else ()), *outputs, "vcc", "vee")
        lines = outputs
    for k in range(spec.n_states):
        signal = nets.state_column(k)
        plus, minus = nets.pair(signal)
        s.X(nets.integrator(k), "ivp_integrator", nets.derivative(k), nets.initial_condition(k), nets.SELECT, plus, "vcc",
            "vee", nets.capacitor(k), r_in=spec.r_in, c_int=spec.c_int, **({"c_lead": spec.c_lead} if spec.c_lead else {}))
        s.X(f"{signal}_inv", "inverter", plus, minus, "vcc", "vee")
    sizes = (spec.layers[0].n_inputs, *(layer_spec.n_outputs for layer_spec in spec.layers))
    widths = " -> ".join(map(str, sizes))
    return Block(
        netlist=s,
        purpose=f"closed loop, d x/dt = f(u, x), f a network {widths}; {_arrays(spec)}",
        pins={
            "u0..": "generators of the external inputs",
            "ic0..": "initial-condition sources, one a state",
            "v_ref": "bias reference voltage",
            "sel": "control: 0 V initial conditioning, 2.5 V integration",
            "x0_p..": "states, +v lines",
            "vcc vee": "supplies, +2.5 V and -2.5 V",
        },
        drawing="""
            u --[follower]--+
                            +--[layer]--[layer]--...--[layer]-- d --[ivp_integrator]--+-- x
            x --------------+                                                         |
            +-------------------------------------------------------------------------+
            every line of an array is a pair: _p carries +v, _n carries -v
        """,
        uses=(*((follower(), inverter()) if spec.n_external or bias else (inverter(),)), *blocks,
              ivp_integrator(lead=spec.c_lead > 0)),
        notes={f"x{nets.integrator(k)}": "r_in in ohm, c_int in F" + (", c_lead in F" if spec.c_lead else "")
               for k in range(spec.n_states)},
    )


def _arrays(spec: BoardSpec) -> str:
    if all(layer_spec.is_one_tile for layer_spec in spec.layers):
        return f"every layer one {SIZE}x{SIZE} array"
    return f"layers of {', '.join(str(len(layer_spec.tiles)) for layer_spec in spec.layers)} {SIZE}x{SIZE} arrays"
