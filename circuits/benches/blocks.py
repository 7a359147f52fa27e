"""Every block alone: a deck that shows what it does, with hand-derived expectations; nominal, or at a corner."""

from __future__ import annotations

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.array.cell import cell_1t1r
from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE, array_pins, memristor_array
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.benches import nodes
from circuits.board.testbench import SUPPLY
from circuits.corners.corner import CORNERS, Corner
from circuits.corners.deck import deck_at
from circuits.corners.layer import wires_at
from circuits.corners.transistor import transistor_at
from circuits.errors import CircuitError
from circuits.netlist.block import Block
from circuits.netlist.deck import Deck, Measure
from circuits.stages.clamp import clamp
from circuits.stages.follower import follower
from circuits.stages.inverter import inverter
from circuits.stages.ivp_integrator import ivp_integrator
from circuits.stages.rectifier import rectifier
from circuits.stages.relu_tia import relu_tia
from circuits.stages.tia import clamped_tia, tia

R_F = 10e3  # ohm, in the amplifiers' benches
R_LOAD = 1e3  # ohm, about what a line of 32 cells loads its driver with


def _bench(title: str, corner: Corner) -> Circuit:
    c = Circuit(title)
    c.V("_cc", "vcc", 0, f"dc {corner.rail}")
    c.V("_ee", "vee", 0, f"dc {-corner.rail}")
    return c


def _cell(corner: Corner) -> Block:
    return cell_1t1r(wires_at(corner, Wires()), transistor_at(corner, SelectTransistor()))


def _deck(name: str, block: Block, bench: Circuit, analysis: str, save: tuple[str, ...], measures: tuple[Measure, ...],
          **more) -> Deck:
    return Deck(name=name, title=f"{block.name} alone", banner=(f"purpose    {block.purpose}", "generated, do not edit"),
                block=block, bench=bench, analysis=analysis, save=save, measures=measures, **more)


def cell_bench(corner: Corner) -> Deck:
    """Read current of one cell at 100 uS against its bit-line voltage."""
    g, wire = 100e-6, Wires().resistance
    resistance = 1 / g + SelectTransistor().on_resistance() + 2 * wire
    c = _bench("cell", corner)
    c.V("_bl", "bl", 0, "dc 0")
    c.V("_sl", "sl", 0, "dc 0")
    c.X("dut", "cell_1t1r", "bl", "bl_far", "sl", "sl_far", "vcc", "vee", g=g)
    return _deck("cell_1t1r", _cell(corner), c, ".dc v_bl -0.2 0.2 0.01", ("v(bl)", "i(v_sl)"),
                 (Measure(name="i_read", rule="find i(v_sl) at=0.2", expect=0.2 / resistance, unit="A"),))


def array_bench(corner: Corner) -> Deck:
    """Array with a different conductance in every cell; bit lines 0 and 1 driven, rows 0..7 selected."""
    g = 20e-6 + 80e-6 * (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 97) / 96
    c = _bench("array", corner)
    c.V("_bl0", "bl0", 0, "dc 0.2")
    c.V("_bl1", "bl1", 0, "dc -0.1")
    rows = 8
    for k in range(rows):
        c.V(f"_sl{k}", f"sl{k}", 0, "dc 0")
    block = memristor_array("bench", _cell(corner))
    driven = {"bl0", "bl1", *(f"sl{k}" for k in range(rows))}
    nodes = [pin if pin in driven else 0 for pin in array_pins()[: 2 * SIZE]]
    c.X("dut", block.name, *nodes, *["vcc"] * rows, *["vee"] * (SIZE - rows), "vee")
    return _deck("array_32x32", block, c, ".op", tuple(f"i(v_sl{k})" for k in range(rows)), (),
                 extra_files={"conductances/bench.inc": conductance_text(g, "bench")})


def clamp_bench(corner: Corner) -> Deck:
    """Clamp driven by a voltage: straight up to 0.3 V, about 0.6 V at the rails."""
    c = _bench("clamp", corner)
    c.V("_drive", "drive", 0, "dc 0")
    c.X("dut", "clamp", "drive", "line")
    return _deck("clamp", clamp(), c, f".dc v_drive {-SUPPLY} {SUPPLY} 0.02", ("v(drive)", "v(line)"),
                 (Measure(name="v_signal", rule="find v(line) at=0.1", expect=0.1),))


def follower_bench(corner: Corner) -> Deck:
    """Follower into 1 kohm."""
    c = _bench("follower", corner)
    c.V("_in", "vin", 0, "dc 0")
    c.R("_load", "line", 0, R_LOAD)
    c.X("dut", "follower", "vin", "line", "vcc", "vee")
    return _deck("follower", follower(), c, ".dc v_in -1 1 0.01", ("v(vin)", "v(line)"),
                 (Measure(name="v_signal", rule="find v(line) at=0.2", expect=0.2),))


def inverter_bench(corner: Corner) -> Deck:
    """Inverter into 1 kohm."""
    c = _bench("inverter", corner)
    c.V("_in", "vin", 0, "dc 0")
    c.R("_load", "out", 0, R_LOAD)
    c.X("dut", "inverter", "vin", "out", "vcc", "vee")
    return _deck("inverter", inverter(), c, ".dc v_in -0.5 0.5 0.01", ("v(vin)", "v(out)"),
                 (Measure(name="v_signal", rule="find v(out) at=0.2", expect=-0.2),))


def rectifier_bench(corner: Corner) -> Deck:
    """Rectifier into 1 kohm: -min(0, v(vin))."""
    c = _bench("rectifier", corner)
    c.V("_in", "vin", 0, "dc 0")
    c.R("_load", "line", 0, R_LOAD)
    c.X("dut", "rectifier", "vin", "line", "vcc", "vee")
    return _deck("rectifier", rectifier(), c, ".dc v_in -1 1 0.01", ("v(vin)", "v(line)"),
                 (Measure(name="v_signal", rule="find v(line) at=-0.2", expect=0.2),))


def _tia_bench(name: str, block: Block, out: str, expect: float, corner: Corner) -> Deck:
    c = _bench(name, corner)
    c.I("_in", 0, "sl", "dc 0")
    c.R("_source", "sl", 0, R_LOAD)
    c.R("_load", out, 0, R_LOAD)
    c.X("dut", block.name, "sl", out, "vcc", "vee", r_f=R_F)
    return _deck(name, block, c, ".dc i_in -100e-6 100e-6 1e-6", (f"v({out})", "v(sl)"),
                 (Measure(name="v_signal", rule=f"find v({out}) at=20e-6", expect=expect),))


def tia_bench(corner: Corner) -> Deck:
    """TIA of 10 kohm, 1 kohm at its summing node and at its output."""
    return _tia_bench("tia", tia(), "out", -0.2, corner)


def clamped_tia_bench(corner: Corner) -> Deck:
    """TIA of 10 kohm with the clamp inside its loop, and the same two loads."""
    return _tia_bench("clamped_tia", clamped_tia(), "line", -0.2, corner)


def relu_tia_bench(corner: Corner) -> Deck:
    """ReLU TIA: -r_f * max(0, i)."""
    return _tia_bench("relu_tia", relu_tia(), "line", -0.2, corner)


def ivp_integrator_bench(corner: Corner) -> Deck:
    """Integrator: pre-charged to 0.1 V by 5 ms, then a ramp of -v(vin) / (r_in c_int) = 0.2 V/s."""
    c = _bench("ivp_integrator", corner)
    c.V("_in", "vin", 0, "dc -0.2")
    c.V("_ic", "ic", 0, "pwl(0 0 0.001 0 0.0011 0.1)")
    c.V("_sel", "sel", 0, f"pwl(0 0 0.005 0 0.00500001 {corner.rail})")
    c.X("dut", "ivp_integrator", "vin", "ic", "sel", "line", "vcc", "vee", "cap", r_in=1e6, c_int=1e-6)
    return _deck("ivp_integrator", ivp_integrator(), c, ".tran 1e-4 0.105 0 1e-4",
                 ("v(ic)", "v(sel)", "v(line)", "v(cap)", "v(xdut.sum)"),
                 (Measure(name="v_charged", rule="find v(line) at=0.00495", expect=0.1),
                  Measure(name="v_end", rule="find v(line) at=0.105", expect=0.12)))


BENCHES = {
    "cell_1t1r": cell_bench,
    "array_32x32": array_bench,
    "clamp": clamp_bench,
    "follower": follower_bench,
    "inverter": inverter_bench,
    "tia": tia_bench,
    "clamped_tia": clamped_tia_bench,
    "relu_tia": relu_tia_bench,
    "rectifier": rectifier_bench,
    "ivp_integrator": ivp_integrator_bench,
    **nodes.BENCHES,
}


def block_bench(name: str, corner: Corner = CORNERS["nominal"]) -> Deck:
    """The bench of one block. At a corner the measures' expectations stay those of the nominal block.

    Raises:
        CircuitError: there is no such block (the message lists the blocks), or the corner changes nothing in this bench.
    """
    if name not in BENCHES:
        raise CircuitError(f"no bench for a block named {name!r}; there are {', '.join(BENCHES)}")
    return deck_at(BENCHES[name](corner), corner, nominal=BENCHES[name](CORNERS["nominal"]))
