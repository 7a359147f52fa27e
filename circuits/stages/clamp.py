"""The clamp: it keeps the voltage of a bit line below what would disturb the memristors."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block

CLAMP_ONSET = 0.45  # V; here the two diodes together draw 50 uA, a tenth of a driver's reserve
R_S = 1e3  # ohm, in series with the line, inside the amplifier's loop


def clamp(r_s: float = R_S) -> Block:
    """A series resistor and two anti-parallel 1N4148, to be used inside an amplifier's loop.

    Inside the loop the amplifier supplies the diodes' leakage, so the clamp is invisible at signal level. Alone it would
    cost 0.2 % at 0.1 V. Pins: drive line.

    Args:
        r_s: series resistor [ohm].
    """
    s = SubCircuit("clamp", "drive", "line")
    s.R("_s", "drive", "line", r_s)
    s.D("_pos", "line", 0, model="d1n4148")
    s.D("_neg", 0, "line", model="d1n4148")
    return Block(
        netlist=s,
        purpose="limits |v(line)| to about 0.6 V; sits inside an amplifier's loop, which hides its leakage",
        pins={"drive": "amplifier side", "line": "protected crossbar line"},
        drawing="""
            drive --[r_s]--+-------+-- line
                         d_pos   d_neg
                          gnd     gnd
        """,
        parts=("d1n4148",),
        notes={"r_s": "ohm, limits the amplifier to 2 mA when clamped"},
    )
