"""The precision half-wave rectifier: the second stage of a two-stage hidden neuron."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.stages.clamp import clamp

RESISTANCE = 10e3  # ohm, input and feedback resistor


def rectifier(r: float = RESISTANCE) -> Block:
    """An inverting half-wave rectifier with both diodes inside the loop. Pins: vin line vcc vee.

    Behind a linear transimpedance amplifier it makes a ReLU that crosses over faster than ``relu_tia``. Here the op-amp slews
    from one diode to the other at a noise gain of 2; there the noise gain is 1 + r_f times all conductances of the source line.

    Args:
        r: input and feedback resistor [ohm].
    """
    s = SubCircuit("rectifier", "vin", "line", "vcc", "vee")
    s.R("_in", "vin", "sum", r)
    s.R("_f", "sum", "line", r)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "op_out")
    s.D("_on", "op_out", "drive", model="d1n4148")
    s.D("_off", "sum", "op_out", model="d1n4148")
    s.X("clamp", "clamp", "drive", "line")
    return Block(
        netlist=s,
        purpose="v(line) = max(0, -v(vin)), clamped",
        pins={"vin": "input, loaded by r_in", "line": "driven crossbar line, the +h line",
              "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing="""
                         +--------------[r_f]-------------+
                         +--|d_off|>-+  (conducts, vin > 0) |
            vin --[r_in]-+--|- \\     |                     |
                            |   >----+->|d_on|--[clamp]---+-- line   (d_on conducts, vin < 0)
                      gnd --|+ /   op_out     drive
        """,
        parts=("opa4990", "d1n4148"),
        uses=(clamp(),),
        notes={"r_in": "ohm", "r_f": "ohm", "d_on": "pulls the line up when vin < 0",
               "d_off": "takes vin / r_in > 0, so the amplifier never saturates"},
    )
