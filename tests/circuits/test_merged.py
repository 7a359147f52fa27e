"""Merged arrays: the sum of networks in parallel by hand, flat decks of the same layer, and decks that draw each array."""

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from benchmarks.merged import arrays_apart
from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE
from circuits.array.macromodel import ALIKE, READ, SMALLEST, SQUARE, Reduced, split_squares
from circuits.array.merged import merged_arrays, side_by_side
from circuits.array.network import port_network
from circuits.array.tiling import tile_layer
from circuits.board.layer import LayerSpec, layer, reduce_layer
from circuits.board.testbench import MACRO_SOLVER
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import SOLVER, Deck, write_files
from circuits.netlist.render import render_elements

TIGHT = " reltol=1e-6 abstol=1e-14 vntol=1e-9"


def programmed(spec, seed=3, idle=0.0):
    """Random conductances in the cells in use, a part of the pairs at rest; the others at the low end of the window."""
    rng, arrays = np.random.default_rng(seed), []
    for tile in spec.tiles:
        g = np.full((SIZE, SIZE), 20e-6)
        used = rng.uniform(20e-6, 100e-6, (tile.n_outputs, tile.n_lines))
        used[rng.uniform(size=used.shape) < idle] = 20e-6
        g[: tile.n_outputs, : tile.n_lines] = used
        arrays.append(g)
    return arrays


def test_parallel_networks_by_hand():
    # Two rows and two columns of arrays that hold one resistor between each bit line and source line in use.
    tiles = tile_layer("t", 40, 34)
    values = {tile.name: 1e-6 * (1 + number) for number, tile in enumerate(tiles)}
    reduced = {}
    for tile in tiles:
        between = np.zeros((65, 65))
        between[:32, 32 : 32 + tile.n_outputs] = values[tile.name]
        between[0, 1] = 1e-9
        reduced[tile.name] = Reduced(between=between + between.T, curvature=np.full((32, 32), values[tile.name]))
    merged = side_by_side(tiles, reduced)
    assert merged.between.shape == (129, 129) and merged.n_bits == 64 and merged.n_sources == 64
    assert merged.between[3, 64 + 5] == values["t_0_0"] and merged.between[64 + 5, 33] == values["t_0_1"]
    assert merged.between[64 + 39, 3] == values["t_1_0"] and merged.between[33, 64 + 32] == values["t_1_1"]
    assert merged.between[0, 1] == 2e-9 and merged.between[32, 33] == 2e-9  # two rows of arrays in parallel
    assert merged.between[0, 32] == 0.0
    assert merged.curvature[5, 3] == values["t_0_0"] and merged.curvature[39, 33] == values["t_1_1"]
    assert merged.selected == list(range(40))


def conductances_of(block):
    """Elements of a block by name: nodes and last word."""
    lines = "\n".join(render_elements(block.netlist)).replace("\n+ ", " ").splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_loads_and_couplings_are_sums_over_the_arrays():
    spec = LayerSpec(name="t", n_inputs=20, n_outputs=40, bias=True, relu=True, r_f=10e3, undriven="n")
    arrays = programmed(spec)
    own = {tile.name: port_network(g, selected=np.arange(SIZE) < tile.n_outputs, wires=spec.wires, r_port=spec.r_board,
                                   r_on=spec.transistor.on_resistance())
           for tile, g in zip(spec.tiles, arrays, strict=True)}
    made = conductances_of(merged_arrays("t", spec.tiles, reduce_layer(spec, arrays), wires=spec.wires, hanging=spec.hanging,
                                         one_way=spec.one_way))
    top, bottom = own["t_0_0"], own["t_1_0"]
    # bit line 4 is driven, 5 hangs, both in two arrays; the bias, lines 40 and 41, is driven
    assert float(made["r_bl4_gnd"][-1]) == pytest.approx(1 / (top[4].sum() + bottom[4].sum()), rel=1e-9)
    hangs = sum(y[5, :-1].sum() + y[5, 4] for y in (top, bottom))
    assert float(made["r_bl5_gnd"][-1]) == pytest.approx(1 / hangs, rel=1e-9)
    assert float(made["r_bl5_vsub"][-1]) == pytest.approx(1 / (top[5, -1] + bottom[5, -1]), rel=1e-6)
    assert float(made["g_bl5_bl9"][-1]) == pytest.approx(sum(y[5, 9] - y[5, 8] for y in (top, bottom)), rel=1e-9)
    assert {name for name in made if name.startswith("g_bl5_bl")} == {
        f"g_bl5_bl{line}" for line in range(1, 32, 2) if line != 5}  # other pairs of the same arrays
    assert not any(name.startswith(("g_bl40_bl", "g_bl41_bl")) for name in made)
    assert made["g_bl5_sl39"] == ["0", "sl39", "bl5", "0", made["g_bl5_sl39"][-1]]
    assert float(made["g_bl5_sl39"][-1]) == pytest.approx(bottom[32 + 7, 5], rel=1e-9)
    # a source line in two arrays: 42 lines, and 22 that are grounded
    wanted = own["t_1_0"][32 + 7, :32].sum() + own["t_1_1"][32 + 7, :32].sum()
    assert float(made["r_sl39_gnd"][-1]) == pytest.approx(1 / wanted, rel=1e-9)
    assert float(made["c_bl4"][-1]) == float(made["c_sl39"][-1]) == pytest.approx(64e-15)
    assert {made[f"r_sl{k}_star"][1] for k in range(32)} == {"star0"} and made["r_sl39_star"][1] == "star1"
    legs = np.array([1 / float(made[f"r_sl{k}_star"][-1]) for k in range(32)])
    totals = sum(own[name][32:64, 32:64].sum(axis=1) for name in ("t_0_0", "t_0_1"))
    np.testing.assert_allclose(legs - legs**2 / legs.sum(), totals, rtol=1e-9)


def test_alike_pairs_share_a_mean_and_the_bound_holds():
    spec = LayerSpec(name="t", n_inputs=31, n_outputs=40, bias=True, relu=True, r_f=10e3)
    reduced = reduce_layer(spec, programmed(spec, idle=0.9))
    curvature = side_by_side(spec.tiles, reduced).curvature[:, :32]
    pairs = curvature[:, 0::2] + curvature[:, 1::2]
    alike, rest = split_squares(curvature)
    assert alike[:40].all() and not alike[40:].any()
    assert np.count_nonzero(rest) < 0.4 * np.count_nonzero(pairs)
    left = (pairs - alike[:, None] - rest)[:40] * READ**2
    assert np.abs(left).max() <= 2 * ALIKE
    np.testing.assert_allclose(left.sum(axis=1), 0.0, atol=1e-16)  # A; at equal voltages nothing is left out
    made = conductances_of(merged_arrays("t", spec.tiles, reduced, wires=spec.wires))
    assert float(made["g_mean0_sl7"][-1]) == pytest.approx(16 * alike[7] / SQUARE, rel=1e-3)
    # dissimilar pairs keep an element each
    each = split_squares(side_by_side(spec.tiles, reduce_layer(spec, programmed(spec))).curvature[:, :32])
    assert not each[0].any() and np.count_nonzero(each[1]) == 40 * 16
    small = np.zeros((40, 32))
    small[3, 4] = 0.5 * SMALLEST / READ**2
    assert not any(part.any() for part in split_squares(small))


# held against flat decks and against decks that draw each array


def deck_of(spec, block, extra, options, analysis):
    """Driven pairs have a source; a line that hangs has its feedback resistor, its pair's other line minus its voltage."""
    c = Circuit("bench")
    c.V("_cc", "vcc", 0, "dc 2.5")
    c.V("_ee", "vee", 0, "dc -2.5")
    lines = [f"x{j}_{sign}" for j in range(spec.n_inputs) for sign in "pn"] + ["bias_p", "bias_n"] * spec.bias
    off = set(range(0, spec.n_inputs, 3)) if spec.undriven else set()
    for j in range(len(lines) // 2):
        plus, minus = lines[2 * j : 2 * j + 2]
        wave = f"sin({0.02 * (j % 5)} {0.01 * (j % 7)} {1000 + 100 * j})"
        if j in off:
            hangs, other = (minus, plus) if spec.undriven == "n" else (plus, minus)
            c.R(f"_{hangs}", hangs, 0, 10e3)
            c.VCVS(f"_{other}", other, 0, hangs, 0, -1)
        else:
            c.V(f"_{plus}", plus, 0, wave)
            c.VCVS(f"_{minus}", minus, 0, plus, 0, -1)
    outputs = [f"d{k}" for k in range(spec.n_outputs)] if spec.last else [
        f"h{k}_{sign}" for k in range(spec.n_outputs) for sign in "pn"]
    c.X("dut", block.name, *lines, *outputs, "vcc", "vee")
    read = [*(outputs if spec.last else outputs[::2]), *(lines[2 * j + (spec.undriven == "n")] for j in sorted(off))]
    return Deck(name="d", title="t", banner=(), block=block, bench=c, analysis=analysis, extra_files=extra, options=options,
                save=tuple(f"v({net})" for net in read))


def voltages(spec, block, folder, options, extra=None, analysis=".op"):
    """Saved voltages (points, vectors) [V]; of a transient on 50 points."""
    deck = deck_of(spec, block, extra or {}, options, analysis)
    write_files(folder, deck.files())
    waves = run(Job(deck=folder / "d.cir", timeout=300)).waveforms
    if analysis == ".op":
        return np.array([[waves[name][-1] for name in deck.save]])
    times = np.linspace(0, waves.time[-1], 50)
    return np.stack([waves.resample(name, times) for name in deck.save], axis=1)


SPECS = {
    "two columns": LayerSpec(name="t", n_inputs=20, n_outputs=6, bias=True, relu=False, r_f=10e3, last=True, undriven="n"),
    "two rows, two columns": LayerSpec(name="t", n_inputs=18, n_outputs=36, bias=True, relu=True, r_f=10e3, undriven="p"),
    "two rows, driven": LayerSpec(name="t", n_inputs=3, n_outputs=40, bias=True, relu=True, r_f=10e3, neuron="two_stage"),
    "one output": LayerSpec(name="t", n_inputs=40, n_outputs=1, bias=False, relu=False, r_f=10e3, last=True, undriven="n"),
    "common offset": LayerSpec(name="t", n_inputs=17, n_outputs=33, bias=False, relu=True, r_f=10e3, undriven="n",
                               common_offset=True),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_merged_layer_is_its_arrays_side_by_side(name, tmp_path, monkeypatch):
    spec = SPECS[name]
    reduced = reduce_layer(spec, programmed(spec))
    options, transient = f"{SOLVER} {MACRO_SOLVER}{TIGHT}", ".tran 2e-6 5e-4 0 2e-6"
    merged = [voltages(spec, layer(spec, reduced), tmp_path / "merged", options, analysis=how) for how in (".op", transient)]
    monkeypatch.setattr("circuits.board.layer.layer_arrays", arrays_apart)
    apart = [voltages(spec, layer(spec, reduced), tmp_path / "apart", options, analysis=how) for how in (".op", transient)]
    point, waves = (np.abs(one - other).max() for one, other in zip(merged, apart, strict=True))
    assert min(np.abs(other).max() for other in apart) > 0.01
    # V, of 0.2 V full scale. One star a row of arrays instead of one an array is all that differs; the steps of the solver add
    # a microvolt where a neuron crosses over
    assert point < 1e-9
    assert waves < 1e-6


@pytest.mark.parametrize("name", ["two columns", "two rows, two columns", "common offset"])
def test_a_merged_layer_is_the_flat_layer(name, tmp_path):
    spec = SPECS[name]
    arrays = programmed(spec, idle=0.5)
    merged = voltages(spec, layer(spec, reduce_layer(spec, arrays)), tmp_path / "merged", f"{SOLVER} {MACRO_SOLVER}{TIGHT}")
    files = {f"conductances/{tile.name}.inc": conductance_text(g, tile.name)
             for tile, g in zip(spec.tiles, arrays, strict=True)}
    flat = voltages(spec, layer(spec), tmp_path / "flat", f"{SOLVER}{TIGHT}", files)
    assert np.abs(flat).max() > 0.02
    assert np.abs(merged - flat).max() < 1e-6  # V, of 0.2 V full scale; what the macromodel leaves out, merged or not
