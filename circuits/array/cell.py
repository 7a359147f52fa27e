"""The 1T1R cell, with its own segment of bit line and source line."""

from __future__ import annotations

from math import isfinite

from PySpice.Spice.Netlist import SubCircuit

from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.errors import CircuitError
from circuits.netlist.block import Block


def cell_1t1r(wires: Wires | None = None, transistor: SelectTransistor | None = None, kappa: float = 0.0) -> Block:
    """One memristor in series with its select transistor, and the wire that leads to it.

    Pins: bl_near bl_far sl_near sl_far wl vsub; parameter g [S].

    Args:
        wires: its wire segments; None: the nominal ones.
        transistor: its select transistor; None: the nominal one.
        kappa: nonlinearity of the memristor in read mode, i = g sinh(kappa v) / kappa [1/V]; 0 is a linear memristor.
    Raises:
        CircuitError: kappa is negative or not finite.
    """
    if not (isfinite(kappa) and kappa >= 0):
        raise CircuitError(f"kappa = {kappa} 1/V of the memristor: must be finite and at least 0")
    wires = wires or Wires()
    transistor = transistor or SelectTransistor()
    s = SubCircuit("cell_1t1r", "bl_near", "bl_far", "sl_near", "sl_far", "wl", "vsub", g=20e-6)
    s.R("_bl", "bl_near", "bl_far", wires.resistance)
    s.C("_bl", "bl_far", 0, wires.capacitance)
    s.R("_sl", "sl_near", "sl_far", wires.resistance)
    s.C("_sl", "sl_far", 0, wires.capacitance)
    if kappa:
        s.X("mem", "memristor_sinh", "bl_far", "be", g="{g}", kappa=kappa)
    else:
        s.X("mem", "memristor", "bl_far", "be", g="{g}")
    s.M("sel", "be", "wl", "sl_far", "vsub", model="nmos_select", w=transistor.width, l=transistor.length)
    return Block(
        netlist=s,
        purpose="1T1R cell, i(sl) = v(bl) / (1/g + r_on) with the word line high",
        pins={
            "bl_near bl_far": "bit line towards its driver and away from it",
            "sl_near sl_far": "source line towards its transimpedance amplifier and away from it",
            "wl": "word line, select gate; no wire of its own, a gate draws no steady current",
            "vsub": "substrate, the negative supply",
            "g": "parameter: programmed conductance [S]",
        },
        drawing="""
            bl_near --[r_bl]--+-- bl_far
                              |
                            [xmem]  g
                              | be
                        wl --|[ msel
                              |
            sl_near --[r_sl]--+-- sl_far
        """,
        parts=("memristor", "nmos_select"),
        notes={"r_bl": "ohm, wire segment", "c_bl": "F, wire segment", "r_sl": "ohm, wire segment",
               "c_sl": "F, wire segment", "msel": "w, l in m"},
    )
