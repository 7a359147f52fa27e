"""The follower: it drives a bit line from a node that may not be loaded."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.stages.clamp import clamp


def follower() -> Block:
    """A buffer of unity gain with the clamp inside its loop. Pins: vin line vcc vee."""
    s = SubCircuit("follower", "vin", "line", "vcc", "vee")
    s.X("op", "opa4990", "vin", "line", "vcc", "vee", "drive")
    s.X("clamp", "clamp", "drive", "line")
    return Block(
        netlist=s,
        purpose="v(line) = v(vin), clamped",
        pins={"vin": "input, draws the op-amp's bias current only", "line": "driven crossbar line",
              "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing="""
            vin --|+ \\  drive
                  |   >--[clamp]--+-- line
               +--|- /            |
               +------------------+
        """,
        parts=("opa4990",),
        uses=(clamp(),),
    )
