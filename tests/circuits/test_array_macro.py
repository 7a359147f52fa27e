"""The array's macromodel: the Schur complement by hand, and the flat array's operating point in ngspice."""

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE, array_pins, memristor_array
from circuits.array.macromodel import Reduced, array_macro
from circuits.array.network import cell_curvature, port_conductance, port_network
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.board.testbench import MACRO_SOLVER
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import SOLVER, Deck, write_files

R_ON = SelectTransistor().on_resistance()
ROWS, LINES = 5, 12


def test_star_to_mesh_by_hand():
    # One row, two columns, 100 ohm a segment, cells of 10 and 20 kohm: bl0 and bl1 meet at two source-line nodes.
    r, a, b = 100.0, 10e3, 20e3
    y = port_network(np.array([[1 / a, 1 / b]]), selected=np.array([True]), wires=Wires(resistance=r), r_on=0.0,
                     gmin=0.0)
    # nodes: n0 (cell a, to the pin and to n1), n1 (cell b); legs a + r and b + r from the bit lines' pins
    ga, gb, gs = 1 / (a + r), 1 / (b + r), 1 / r
    full = np.array([[2 * gs + ga, -gs], [-gs, gs + gb]])  # n0, n1
    legs = np.array([[ga, 0.0], [0.0, gb], [gs, 0.0]])  # bl0, bl1, sl0 to n0, n1
    expected = legs @ np.linalg.solve(full, legs.T)
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(y[:3, :3], expected, rtol=1e-9, atol=1e-18)
    assert (y[3] == 0).all()


def test_it_holds_the_transfer_conductances():
    g = np.random.default_rng(3).uniform(20e-6, 100e-6, (6, 9))
    selected = np.array([True, True, False, True, True, False])
    y = port_network(g, selected=selected, wires=Wires(), r_on=R_ON)
    transfer = port_conductance(g, selected=selected, wires=Wires(), r_on=R_ON)
    np.testing.assert_allclose(y[9:15, :9], transfer, rtol=1e-6, atol=1e-18)  # but for gmin
    assert (y >= 0).all()
    assert (y[9 + 2] == 0).all()
    np.testing.assert_allclose(y[9, -1], 9 * 2e-12, rtol=0.02)  # two junctions a cell


@pytest.fixture(scope="module")
def g():
    g = np.full((SIZE, SIZE), 20e-6)
    g[:ROWS, :LINES] = np.random.default_rng(8).uniform(20e-6, 100e-6, (ROWS, LINES))
    return g


def reduced(g):
    selected = np.arange(SIZE) < ROWS
    return Reduced(between=port_network(g, selected=selected, wires=Wires(), r_on=R_ON),
                   curvature=cell_curvature(g, selected=selected, r_on=R_ON, curvature=SelectTransistor().curvature()))


def currents(block, folder, options, extra=None, hanging=(), volts=0.002, common=0.0):
    """Source-line currents and the voltages of bit lines that nothing drives."""
    c = Circuit("bench")
    c.V("_cc", "vcc", 0, "dc 2.5")
    c.V("_ee", "vee", 0, "dc -2.5")
    nodes = []
    for k in range(LINES):
        nodes.append(f"bl{k}")
        if k in hanging:  # as on the board, an inverter drives its pair's other line
            c.VCVS(f"_bl{k ^ 1}", f"bl{k ^ 1}", 0, f"bl{k}", 0, -1)
        elif k ^ 1 not in hanging:
            c.V(f"_bl{k}", f"bl{k}", 0, f"dc {volts * (-1) ** k * (k // 2 + 1)}")
    c.X("dut", block.name, *nodes, *[0] * (SIZE - LINES), *(f"sl{k}" for k in range(ROWS)), *[0] * (SIZE - ROWS),
        *["vcc"] * ROWS, *["vee"] * (SIZE - ROWS), "vee")
    for k in range(ROWS):
        c.V(f"_sl{k}", f"sl{k}", 0, f"dc {common}")
    save = tuple(f"i(v_sl{k})" for k in range(ROWS)) + tuple(f"v(bl{k})" for k in hanging)
    deck = Deck(name="d", title="t", banner=(), block=block, bench=c, analysis=".op", save=save, extra_files=extra or {},
                options=options)
    write_files(folder, deck.files())
    w = run(Job(deck=folder / "d.cir")).waveforms
    return np.array([w[name][-1] for name in save])


@pytest.mark.parametrize(("hanging", "one_way"), [((), False), ((3, 7), False), ((0, 2, 4), True)])
def test_macro_is_the_flat_array(g, tmp_path, hanging, one_way):
    tight = " reltol=1e-7 abstol=1e-15 vntol=1e-10"
    block = array_macro("t", reduced(g), n_lines=LINES, wires=Wires(), hanging=hanging, one_way=one_way)
    macro = currents(block, tmp_path / "macro", f"{SOLVER} {MACRO_SOLVER}{tight}", hanging=hanging)
    flat = currents(memristor_array("t"), tmp_path / "flat", f"{SOLVER}{tight}",
                    {"conductances/t.inc": conductance_text(g, "t")}, hanging=hanging)
    # Up to 26 mV the transistors' curvature, 1.3e-5 of a cell's current at 0.2 V, leaves 5e-13 A a cell, twelve cells a line
    np.testing.assert_allclose(macro[:ROWS], flat[:ROWS], rtol=2e-6, atol=8e-12)
    # V: 1e-12 A a cell in 0.4 mS of a line that hangs, five cells
    np.testing.assert_allclose(macro[ROWS:], flat[ROWS:], rtol=0, atol=2e-9)
    assert np.ptp(flat[:ROWS]) > 5e-7


def test_a_line_that_hangs_follows_the_source_lines_but_one_way(g, tmp_path):
    hanging, common = (3, 7), 1e-3  # V, as an offset of all op-amps puts it there
    made = {}
    for name, one_way in {"both": False, "one": True}.items():
        block = array_macro("t", reduced(g), n_lines=LINES, wires=Wires(), hanging=hanging, one_way=one_way)
        made[name] = currents(block, tmp_path / name, f"{SOLVER} {MACRO_SOLVER}", hanging=hanging, common=common)[ROWS:]
    flat = currents(memristor_array("t"), tmp_path / "flat", SOLVER, {"conductances/t.inc": conductance_text(g, "t")},
                    hanging=hanging, common=common)[ROWS:]
    np.testing.assert_allclose(made["both"], flat, rtol=0, atol=5e-9)
    np.testing.assert_allclose(flat, common, rtol=0.05)
    assert np.abs(made["one"]).max() < 0.05 * common


def test_the_transistors_curvature_is_in_it(g, tmp_path):
    tight, volts = " reltol=1e-7 abstol=1e-15 vntol=1e-10", 0.033  # 0.2 V on the last pair
    macro = currents(array_macro("t", reduced(g), n_lines=LINES, wires=Wires()), tmp_path / "macro",
                     f"{SOLVER} {MACRO_SOLVER}{tight}", volts=volts)
    flat = currents(memristor_array("t"), tmp_path / "flat", f"{SOLVER}{tight}",
                    {"conductances/t.inc": conductance_text(g, "t")}, volts=volts)
    linear = port_conductance(g, selected=np.arange(SIZE) < ROWS, wires=Wires(), r_on=R_ON)[:ROWS, :LINES] @ (
        volts * np.repeat(np.arange(1, LINES // 2 + 1), 2) * np.tile([1, -1], LINES // 2))
    missed = np.abs(flat - linear).max()
    assert missed > 3e-10  # A, a few cells of 1.4e-5 times 20 uA
    assert np.abs(macro - flat).max() < 0.15 * missed  # the mean of both polarities is within 11 %


@pytest.mark.parametrize("one_way", [False, True])
def test_every_pin_keeps_its_load(g, one_way):
    # what an ohmmeter reads from a pin to all others grounded: of the reduced network, and of the elements together
    between, hanging = reduced(g).between, (1, 3, 5)
    load, star = dict.fromkeys(array_pins(), 0.0), {}
    block = array_macro("t", reduced(g), n_lines=LINES, wires=Wires(), hanging=hanging, one_way=one_way)
    for element in block.netlist.elements:
        name, a, b, *rest = str(element).lower().split()
        if name.startswith("r_") and b == "star":
            star[a] = 1 / float(rest[0])
        elif name.startswith("r_"):
            for pin in (a, b):
                if pin != "0":
                    load[pin] += 1 / float(rest[0])
    for pin, leg in star.items():
        load[pin] += leg - leg**2 / sum(star.values())
    pins = [*(f"bl{k}" for k in range(LINES)), *(f"sl{k}" for k in range(ROWS))]
    wanted = dict(zip(array_pins()[: 2 * SIZE], between.sum(axis=1), strict=False))
    for line in hanging:  # its pair's other line is at minus its voltage
        wanted[f"bl{line}"] += between[line, line ^ 1]
    np.testing.assert_allclose([load[pin] for pin in pins], [wanted[pin] for pin in pins], rtol=1e-9)
    assert set(star) == {f"sl{k}" for k in range(ROWS)}
