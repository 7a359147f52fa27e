"""The linear transimpedance amplifier: it reads a source line."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.stages.clamp import clamp


def tia() -> Block:
    """The transimpedance amplifier of the output layer. Pins: sl out vcc vee; parameter r_f [ohm]."""
    s = SubCircuit("tia", "sl", "out", "vcc", "vee", r_f=10e3)
    s.R("_f", "sl", "out", "{r_f}")
    s.X("op", "opa4990", 0, "sl", "vcc", "vee", "out")
    return Block(
        netlist=s,
        purpose="v(out) = -r_f * i(sl), sl held at virtual ground",
        pins={"sl": "source line, summing node", "out": "output", "vcc vee": "supplies, +2.5 V and -2.5 V",
              "r_f": "parameter: feedback resistor [ohm]"},
        drawing="""
               +--[r_f]--+
            sl-+--|- \\   |
                  |   >--+-- out
            gnd --|+ /
        """,
        parts=("opa4990",),
        notes={"r_f": "ohm"},
    )


def clamped_tia() -> Block:
    """The transimpedance amplifier of a hidden layer without ReLU, which drives a bit line. Pins: sl line vcc vee."""
    s = SubCircuit("clamped_tia", "sl", "line", "vcc", "vee", r_f=10e3)
    s.R("_f", "sl", "line", "{r_f}")
    s.X("op", "opa4990", 0, "sl", "vcc", "vee", "drive")
    s.X("clamp", "clamp", "drive", "line")
    return Block(
        netlist=s,
        purpose="v(line) = -r_f * i(sl), clamped; sl held at virtual ground",
        pins={"sl": "source line, summing node", "line": "driven crossbar line",
              "vcc vee": "supplies, +2.5 V and -2.5 V", "r_f": "parameter: feedback resistor [ohm]"},
        drawing="""
               +---------[r_f]-------+
            sl-+--|- \\  drive        |
                  |   >----[clamp]---+-- line
            gnd --|+ /
        """,
        parts=("opa4990",),
        uses=(clamp(),),
        notes={"r_f": "ohm"},
    )
