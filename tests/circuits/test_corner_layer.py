"""Arrays at a corner: the macromodel made again is the flat array with the corner's text, at ngspice's operating point."""

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE, memristor_array
from circuits.array.macromodel import array_macro, reduce_array
from circuits.board.layer import LayerSpec
from circuits.board.testbench import MACRO_SOLVER
from circuits.corners.corner import CORNERS
from circuits.corners.files import corner_files
from circuits.corners.layer import layer_at, macros_at
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import SOLVER, Deck, write_files
from circuits.netlist.render import render_block

SPEC = LayerSpec(name="t", n_inputs=6, n_outputs=5, bias=False, relu=True, r_f=10e3)
LINES = SPEC.n_bit_lines
READ = 0.03  # V a pair, up to 0.18 V on the last
TIGHT = " reltol=1e-7 abstol=1e-15 vntol=1e-10"


@pytest.fixture(scope="module")
def g():
    g = np.full((SIZE, SIZE), 20e-6)
    g[: SPEC.n_outputs, :LINES] = np.random.default_rng(8).uniform(20e-6, 100e-6, (SPEC.n_outputs, LINES))
    return g


def currents(files_of, block, options, folder, extra=None):
    """Source-line currents [A]; ``files_of`` makes the corner's files from the nominal ones."""
    c = Circuit("bench")
    c.V("_cc", "vcc", 0, "dc 2.5")
    c.V("_ee", "vee", 0, "dc -2.5")
    for k in range(LINES):
        c.V(f"_bl{k}", f"bl{k}", 0, f"dc {READ * (-1) ** k * (k // 2 + 1)}")
    for k in range(SPEC.n_outputs):
        c.V(f"_sl{k}", f"sl{k}", 0, "dc 0")
    unused = SIZE - SPEC.n_outputs
    c.X("dut", block.name, *(f"bl{k}" for k in range(LINES)), *[0] * (SIZE - LINES), *(f"sl{k}" for k in range(SPEC.n_outputs)),
        *[0] * unused, *["vcc"] * SPEC.n_outputs, *["vee"] * unused, "vee")
    save = tuple(f"i(v_sl{k})" for k in range(SPEC.n_outputs))
    deck = Deck(name="d", title="t", banner=(), block=block, bench=c, analysis=".op", save=save, extra_files=extra or {},
                options=options)
    write_files(folder, files_of(deck.files()))
    w = run(Job(deck=folder / "d.cir")).waveforms
    return np.array([w[name][-1] for name in save])


@pytest.mark.parametrize("name", ["cold", "hot", "low_supply", "slow_transistor", "wires_x2"])
def test_a_macromodel_at_a_corner_is_the_flat_array_there(g, tmp_path, name):
    corner, conductances = CORNERS[name], {"conductances/t.inc": conductance_text(g, "t")}
    macros = macros_at(SPEC, [g], corner)
    nominal = reduce_array(g, n_outputs=SPEC.n_outputs, wires=SPEC.wires, transistor=SPEC.transistor)
    block = array_macro("t", nominal, n_lines=LINES, wires=SPEC.wires)
    macro = currents(lambda files: corner_files(files, corner, macros), block, f"{SOLVER} {MACRO_SOLVER}{TIGHT}",
                     tmp_path / "macro")
    flat = currents(lambda files: corner_files(files, corner), memristor_array("t"), f"{SOLVER}{TIGHT}", tmp_path / "flat",
                    conductances)
    before = currents(lambda files: files, memristor_array("t"), f"{SOLVER}{TIGHT}", tmp_path / "nominal", conductances)
    # A: a tenth of the transistors' curvature, 1.4e-5 of 20 uA a cell, twelve cells; the corners move 30 nA and more.
    # At 85 degC the cells' junctions leak 1.4 nA a line, which is in both
    np.testing.assert_allclose(macro, flat, rtol=2e-6, atol=4e-10)
    assert np.abs(flat - before).max() > 3e-8


def test_hot_junctions_are_in_the_macromodel():
    hot = layer_at(SPEC, CORNERS["hot"]).transistor
    # 1e-14 A at 27 degC; 1.115 eV at 27, 1.098 eV at 85 degC: exp(43.11 - 35.58) = 1860 times that, over 2.5 V
    assert hot.junction() == pytest.approx(1e-12 + 1860e-14 / 2.5, rel=0.01)
    assert layer_at(SPEC, CORNERS["nominal"]).transistor.junction() == SPEC.transistor.junction()


@pytest.mark.parametrize(("name", "letter"), [("nominal", "g"), ("wires_x2", "g"), ("offset_high", "r"), ("hot", "r")])
def test_lines_of_a_wide_layer_that_hang_follow_offsets(name, letter):
    wide = LayerSpec(name="w", n_inputs=20, n_outputs=2, bias=False, relu=True, r_f=10e3, undriven="n")
    for text in macros_at(wide, [np.full((SIZE, SIZE), 20e-6)] * 2, CORNERS[name]).values():
        assert f"\n{letter}_bl1_sl0 " in text
        assert "\ng_bl0_sl0 " in text  # an op-amp drives it


def test_nominal_macromodels_are_those_of_the_compiler(g):
    nominal = reduce_array(g, n_outputs=SPEC.n_outputs, wires=SPEC.wires, transistor=SPEC.transistor)
    (text,) = macros_at(SPEC, [g], CORNERS["nominal"]).values()
    assert text == render_block(array_macro("t", nominal, n_lines=LINES, wires=SPEC.wires))
