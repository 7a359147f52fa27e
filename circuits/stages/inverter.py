"""The inverter: it makes the second line of a differential pair from the first."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block

R_INVERTER = 10e3  # ohm, input and feedback resistor


def inverter(r: float = R_INVERTER) -> Block:
    """An inverting amplifier of unity gain. Pins: vin out vcc vee.

    Args:
        r: input and feedback resistor [ohm].
    """
    s = SubCircuit("inverter", "vin", "out", "vcc", "vee")
    s.R("_in", "vin", "sum", r)
    s.R("_f", "sum", "out", r)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "out")
    return Block(
        netlist=s,
        purpose="v(out) = -v(vin)",
        pins={"vin": "input, loaded by r_in", "out": "output", "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing="""
                         +--[r_f]--+
            vin --[r_in]-+--|- \\   |
                            |   >--+-- out
                    gnd ----|+ /
        """,
        parts=("opa4990",),
        notes={"r_in": "ohm", "r_f": "ohm"},
    )
