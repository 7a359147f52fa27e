"""The rectifying transimpedance amplifier: a hidden neuron with a ReLU."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.parts import model_parameters
from circuits.stages.clamp import clamp


def leakage() -> float:
    """Current [A] that the blocking diode takes from the summing node while the stage conducts: its saturation current.

    At 10 kohm it is worth 25 uV, so the compiler adds it to the bias.
    """
    return model_parameters("d1n4148", "d1n4148")["is"]


def relu_tia() -> Block:
    """A half-wave rectifying transimpedance amplifier with both diodes inside the loop. Pins: sl line vcc vee; r_f [ohm].

    Its native output is negative: it is the neuron's -h line, and an inverter makes the +h line.
    """
    s = SubCircuit("relu_tia", "sl", "line", "vcc", "vee", r_f=10e3)
    s.R("_f", "sl", "line", "{r_f}")
    s.X("op", "opa4990", 0, "sl", "vcc", "vee", "op_out")
    s.D("_on", "drive", "op_out", model="d1n4148")
    s.D("_off", "op_out", "sl", model="d1n4148")
    s.X("clamp", "clamp", "drive", "line")
    return Block(
        netlist=s,
        purpose="v(line) = -r_f * max(0, i(sl)), clamped; sl held at virtual ground",
        pins={"sl": "source line, summing node; i(sl) flows into it", "line": "driven crossbar line, the -h line",
              "vcc vee": "supplies, +2.5 V and -2.5 V", "r_f": "parameter: feedback resistor [ohm]"},
        drawing="""
               +--------------[r_f]--------------+
               +--|d_off|<-+  (conducts, i < 0)  |
            sl-+--|- \\     |                     |
                  |   >----+--|d_on|<--[clamp]---+-- line   (d_on conducts, i > 0)
            gnd --|+ /   op_out      drive
        """,
        parts=("opa4990", "d1n4148"),
        uses=(clamp(),),
        notes={"r_f": "ohm", "d_on": "pulls the line down when i(sl) > 0",
               "d_off": "takes i(sl) < 0, so the amplifier never saturates"},
    )
