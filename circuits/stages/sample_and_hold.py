"""The sample-and-hold: it hands a value on once a step, so that devices exchange values as their twins do."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.stages.follower import follower

R_S = 1e3  # ohm, keeps the driver stable with the capacitor
C_HOLD = 10e-9  # F; with r_s and the driver's 600 ohm, 16 us
CHARGE = 1.45e-12  # C that the switch takes from the capacitor as it opens: 0.58 pF times 2.5 V, none of which gets past r_s


def sample_and_hold() -> Block:
    """A switch, a capacitor and a follower. Pins: vin sel line vcc vee."""
    s = SubCircuit("sample_and_hold", "vin", "sel", "line", "vcc", "vee")
    s.R("_s", "vin", "in_s", R_S)
    s.X("s1", "tmux1134", "hold", "in_s", "open", "sel", "vcc", "vee")
    s.C("_hold", "hold", 0, C_HOLD)
    s.X("buffer", "follower", "hold", "line", "vcc", "vee")
    return Block(
        netlist=s,
        purpose="v(line) = v(vin) with sel high; holds with sel low, less the switch's 1.45 pC in c_hold, 0.145 mV",
        pins={"vin": "input, from an op-amp", "sel": "2.5 V: sample, 0 V: hold", "line": "driven crossbar line",
              "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing="""
            vin --[r_s]-- S1 --+--[follower]-- line
                             c_hold
                              gnd
        """,
        parts=("tmux1134",),
        uses=(follower(),),
        # the unused throw, net open, is left open: whatever it were tied to would discharge c_hold
        notes={"r_s": "ohm", "c_hold": "F"},
    )
