"""The soft limiter: it keeps what drives a device inside the device's input range."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block

R_LIM = 10e3  # ohm, in front of the diodes
R_A = 100e3  # ohm, from the diodes to the summing node
R_B = 196e3  # ohm, feedback; 1.96 times the 0.509 V that the diodes pass at the supply is 1 V


def soft_limiter() -> Block:
    """Two diodes and an inverting amplifier. Pins: vin out vcc vee."""
    s = SubCircuit("soft_limiter", "vin", "out", "vcc", "vee")
    s.R("_lim", "vin", "lim", R_LIM)
    s.D("_pos", "lim", 0, model="d1n4148")
    s.D("_neg", 0, "lim", model="d1n4148")
    s.R("_a", "lim", "sum", R_A)
    s.R("_b", "sum", "out", R_B)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "out")
    return Block(
        netlist=s,
        purpose="v(out) = -r_b/r_a * limited(v(vin)), within +-1 V whatever comes in; slope -1.78, half of it at 0.43 V",
        pins={"vin": "input, from an op-amp", "out": "output", "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing="""
                                         +--[r_b]--+
            vin --[r_lim]--+--lim--[r_a]-+--|- \\   |
                         d_pos   d_neg      |   >--+-- out
                          gnd     gnd  gnd--|+ /
        """,
        parts=("opa4990", "d1n4148"),
        notes={"r_lim": "ohm", "r_a": "ohm", "r_b": "ohm"},
    )
