"""One network layer: an array, and an amplifier a source line."""

from __future__ import annotations

from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit

from circuits.array import SIZE, memristor_array
from circuits.block import Block
from circuits.errors import CircuitError
from circuits.stages.inverter import inverter
from circuits.stages.relu_tia import relu_tia
from circuits.stages.tia import clamped_tia, tia


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """Shape and feedback of one layer."""

    name: str  # net-safe, e.g. hidden_1
    n_inputs: int  # without the bias
    n_outputs: int
    bias: bool
    relu: bool
    r_f: float  # ohm
    all_cells: bool = True  # False leaves out the rows whose word line is off, which conduct nothing
    last: bool = False  # feeds the integrators; its output is single-ended and drives no array

    def __post_init__(self) -> None:
        lines = 2 * (self.n_inputs + self.bias)
        if lines > SIZE:
            raise CircuitError(
                f"layer {self.name} needs {lines} bit lines ({self.n_inputs} inputs"
                f"{' and a bias' if self.bias else ''}, two lines each), an array has {SIZE}; make it narrower"
            )
        if self.n_outputs > SIZE:
            raise CircuitError(
                f"layer {self.name} needs {self.n_outputs} source lines, an array has {SIZE}; make it narrower"
            )

    @property
    def n_bit_lines(self) -> int:
        """Bit lines in use: two an input, two for the bias."""
        return 2 * (self.n_inputs + self.bias)


def layer(spec: LayerSpec) -> Block:
    """Array, transimpedance amplifiers and inverters of one layer.

    Pins: x<j>_p x<j>_n a pair an input, bias_p bias_n, then h<k>_p h<k>_n an output (last layer: d<k>), vcc vee.
    """
    inputs = [f"x{j}_{sign}" for j in range(spec.n_inputs) for sign in "pn"]
    if spec.bias:
        inputs += ["bias_p", "bias_n"]
    outputs = (
        [f"d{k}" for k in range(spec.n_outputs)]
        if spec.last
        else [f"h{k}_{sign}" for k in range(spec.n_outputs) for sign in "pn"]
    )
    array = memristor_array(spec.name, rows=SIZE if spec.all_cells else spec.n_outputs)
    stage = relu_tia() if spec.relu else (tia() if spec.last else clamped_tia())
    s = SubCircuit(f"layer_{spec.name}", *inputs, *outputs, "vcc", "vee")
    used, rows = spec.n_bit_lines, spec.n_outputs
    s.X("array", array.name, *inputs, *["0"] * (SIZE - used),
        *(f"sl{k}" for k in range(rows)), *["0"] * (SIZE - rows),
        *["vcc"] * rows, *["vee"] * (SIZE - rows), "vee")
    for k in range(rows):
        native = f"d{k}" if spec.last else f"h{k}_n"
        s.X(f"neuron{k}", stage.name, f"sl{k}", native, "vcc", "vee", r_f=spec.r_f)
        if not spec.last:
            s.X(f"inv{k}", "inverter", native, f"h{k}_p", "vcc", "vee")
    return Block(
        netlist=s,
        purpose=f"h = {'relu(W x + b)' if spec.relu else 'W x + b'}, {spec.n_inputs} inputs, {rows} outputs"
        + ("; d = -h, the integrator inverts once more" if spec.last else "; _p carries +h, _n carries -h"),
        pins={
            "x0_p x0_n ..": "inputs, a pair each: +v and -v",
            **({"bias_p bias_n": "bias voltage and its inverse"} if spec.bias else {}),
            ("d0 .." if spec.last else "h0_p h0_n .."): "outputs",
            "vcc vee": "supplies, +2.5 V and -2.5 V; vcc selects the word lines in use, vee turns the others off",
        },
        drawing=f"""
            pairs --[array_{spec.name}]-- sl<k> --[{stage.name}]--+-- {'d<k>' if spec.last else 'h<k>_n'}
        """ + ("" if spec.last else "                                              +--[inverter]-- h<k>_p\n        "),
        uses=(array, stage, *(() if spec.last else (inverter(),))),
        notes={f"xneuron{k}": "r_f in ohm" for k in range(rows)},
    )
