"""Arrays at a corner: the macromodel drawn there is the flat array drawn there, at ngspice's operating point."""

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE
from circuits.array.macromodel import array_macro, reduce_array
from circuits.array.select_transistor import SelectTransistor
from circuits.board.layer import LayerSpec, reduce_layer, tile_array
from circuits.board.testbench import MACRO_SOLVER
from circuits.corners.corner import CORNERS
from circuits.corners.deck import deck_at
from circuits.corners.layer import layer_at
from circuits.corners.transistor import transistor_at
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


def drawn(corner, g, macro):
    """Deck of the array of SPEC with the corner's supplies, wires and transistors."""
    c = Circuit("bench")
    c.V("_cc", "vcc", 0, f"dc {corner.rail}")
    c.V("_ee", "vee", 0, f"dc {-corner.rail}")
    for k in range(LINES):
        c.V(f"_bl{k}", f"bl{k}", 0, f"dc {READ * (-1) ** k * (k // 2 + 1)}")
    for k in range(SPEC.n_outputs):
        c.V(f"_sl{k}", f"sl{k}", 0, "dc 0")
    spec, unused = layer_at(SPEC, corner), SIZE - SPEC.n_outputs
    block = tile_array(spec.tiles[0], spec, reduce_layer(spec, [g]) if macro else None)
    c.X("dut", block.name, *(f"bl{k}" for k in range(LINES)), *[0] * (SIZE - LINES), *(f"sl{k}" for k in range(SPEC.n_outputs)),
        *[0] * unused, *["vcc"] * SPEC.n_outputs, *["vee"] * unused, "vee")
    return Deck(name="d", title="t", banner=(), block=block, bench=c, analysis=".op",
                save=tuple(f"i(v_sl{k})" for k in range(SPEC.n_outputs)),
                extra_files={} if macro else {"conductances/t.inc": conductance_text(g, "t")},
                options=f"{SOLVER} {MACRO_SOLVER}{TIGHT}" if macro else f"{SOLVER}{TIGHT}")


def currents(corner, g, folder, *, macro=False):
    """Source-line currents [A]."""
    deck = deck_at(drawn(corner, g, macro), corner, nominal=drawn(CORNERS["nominal"], g, macro))
    write_files(folder, deck.files())
    w = run(Job(deck=folder / "d.cir")).waveforms
    return np.array([w[name][-1] for name in deck.save])


@pytest.mark.parametrize("name", ["cold", "hot", "low_supply", "slow_transistor", "wires_x2"])
def test_a_macromodel_at_a_corner_is_the_flat_array_there(g, tmp_path, name):
    corner = CORNERS[name]
    macro, flat = currents(corner, g, tmp_path / "macro", macro=True), currents(corner, g, tmp_path / "flat")
    before = currents(CORNERS["nominal"], g, tmp_path / "nominal")
    # A: a tenth of the transistors' curvature, 1.4e-5 of 20 uA a cell, twelve cells; the corners move 30 nA and more.
    # At 85 degC the cells' junctions leak 1.4 nA a line, which is in both
    np.testing.assert_allclose(macro, flat, rtol=2e-6, atol=4e-10)
    assert np.abs(flat - before).max() > 3e-8


def test_hot_junctions_are_in_the_macromodel():
    hot = layer_at(SPEC, CORNERS["hot"]).transistor
    # 1e-14 A at 27 degC; 1.115 eV at 27, 1.098 eV at 85 degC: exp(43.11 - 35.58) = 1860 times that, over 2.5 V
    assert hot.junction() == pytest.approx(1e-12 + 1860e-14 / 2.5, rel=0.01)
    assert transistor_at(CORNERS["nominal"], SPEC.transistor).junction() == SelectTransistor().junction()


def test_nominal_macromodels_are_those_of_the_compiler(g):
    nominal = reduce_array(g, n_outputs=SPEC.n_outputs, wires=SPEC.wires, transistor=SPEC.transistor)
    spec = layer_at(SPEC, CORNERS["nominal"])
    text = render_block(tile_array(spec.tiles[0], spec, reduce_layer(spec, [g])))
    assert text == render_block(array_macro("t", nominal, n_lines=LINES, wires=SPEC.wires))
