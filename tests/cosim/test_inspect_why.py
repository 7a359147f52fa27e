"""`cosim inspect --why`: the cells of an element sum to the number in the deck, of every kind of element."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.crossbar import SIZE
from circuits.board.layer import LayerSpec, layer, reduce_layer
from circuits.board.origin import macro_file, origin
from circuits.netlist.render import render_block
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.errors import CosimError, ResultsError
from cosim.experiment import Experiment
from cosim.folder.element_origin import element_origins
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
from training.stimuli import Sine

WIDE = LayerSpec(name="t", n_inputs=18, n_outputs=36, bias=True, relu=True, r_f=10e3, undriven="n")
SPECS = {"one array": replace(WIDE, n_inputs=5, n_outputs=4), "wide": WIDE, "wide, offset": replace(WIDE, common_offset=True),
         "alike": replace(WIDE, undriven="")}
ALWAYS = {"g_bl_sl", "g_sq_sl", "r_sl_star", "r_bl_gnd", "r_sl_gnd", "r_sl_vsub", "c_bl", "c_sl"}  # names without numbers
HANGING = {"g_bl_bl", "r_bl_vsub"}
KINDS = {"one array": ALWAYS | HANGING | {"r_bl_sl"}, "wide": ALWAYS | HANGING, "alike": ALWAYS | {"g_mean_sl"},
         "wide, offset": ALWAYS | HANGING | {"r_bl_sl"}}


def programmed(spec, idle):
    rng, arrays = np.random.default_rng(5), []
    for tile in spec.tiles:
        g = np.full((SIZE, SIZE), 20e-6)
        g[: tile.n_outputs, : tile.n_lines] = rng.uniform(20e-6, 100e-6, (tile.n_outputs, tile.n_lines))
        g[rng.uniform(size=g.shape) < idle] = 20e-6
        arrays.append(g)
    return arrays


@pytest.mark.parametrize("name", SPECS)
def test_the_cells_of_an_element_sum_to_its_value(name):
    spec = SPECS[name]
    arrays = programmed(spec, 0.9 if name == "alike" else 0.0)
    block = next(block for block in layer(spec, reduce_layer(spec, arrays)).uses if block.file == macro_file(spec))
    lines = render_block(block).replace("\n+ ", " ").splitlines()
    values = {line.split()[0]: line.split()[-1] for line in lines if re.match(r"[rgc]_", line)}
    kinds = {}
    for element in values:
        hangs = re.match(r"[rgc]_bl\d*[13579](_|$)", element) is not None
        kinds.setdefault((re.sub(r"\d+", "", element), hangs), []).append(element)
    assert {kind for kind, _ in kinds} == KINDS[name]
    for elements in kinds.values():
        for element in {elements[0], elements[len(elements) // 2], elements[-1]}:
            made = origin(spec, arrays, element)
            tolerance = 5e-4 if made.unit == "A/V^2" else 1e-8  # a curvature is rounded to four digits
            assert float(values[element]) == pytest.approx(made.deck, rel=tolerance), element
            if made.shares:
                assert made.total == pytest.approx(sum(share.value for share in made.shares), rel=1e-12)
                for share in made.shares[:3]:
                    tile = next(tile for tile in spec.tiles if tile.name == share.tile)
                    assert share.programmed == arrays[spec.tiles.index(tile)][share.row, share.column]


def test_what_a_cell_adds_by_hand():
    arrays = programmed(WIDE, 0.0)
    made = origin(WIDE, arrays, "g_bl34_sl35")  # the last array: row 3, column 2
    cell = max(made.shares, key=lambda share: abs(share.value))
    assert (cell.tile, cell.row, cell.column) == ("t_1_1", 3, 2)
    g = arrays[-1][3, 2]
    assert cell.ideal == pytest.approx(g / (1 + g * WIDE.transistor.on_resistance()), rel=1e-9)
    # its wires: three segments of its bit line and two of its source line behind the pins', two pins with a board wire of
    # 1 ohm, 9.5 to 14 ohm in all. They carry other cells' currents too, those of 36 rows or so
    assert -0.02 * cell.ideal < made.total - cell.ideal < -9.5 * cell.ideal**2
    load = origin(WIDE, arrays, "r_bl1_gnd")
    assert {share.tile for share in load.shares} == {"t_0_0", "t_1_0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """2-3-20-1: one array, one array, two arrays side by side."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 20), nn.ReLU(), nn.Linear(20, 1)).double()
    rng, made = np.random.default_rng(0), tmp_path_factory.mktemp("why")
    experiment = Experiment(subject="why", model=model, columns=("u0", "x0"), calibration=Calibration(
        inputs=rng.uniform(-0.5, 0.5, (99, 1)), states=rng.uniform(-1, 1, (99, 1))), cases=(
            Case(name="sine", stimuli=(Sine(),), initial=(0.1,), duration=0.05),))
    experiment.compile(made / "macro", Options(fidelity="macro"))
    experiment.compile(made / "flat")
    return made


def test_a_layer_may_be_named(folder):
    manifest = read_manifest(folder / "macro")
    assert [made.layer for made, _ in element_origins(manifest, "c_bl3")] == ["hidden_1", "hidden_2", "output"]
    for element in ("output.g_bl33_sl0", "g.xboard.xoutput.xarrays.g_bl33_sl0", "G_BL33_SL0"):
        (made, number), = element_origins(manifest, element)
        assert (made.layer, made.element) == ("output", "g_bl33_sl0")
        assert number == pytest.approx(made.total, rel=1e-9)


@pytest.mark.parametrize(("element", "says"), [
    ("g_bl99_sl0", "layer hidden_1 has no element g_bl99_sl0, with bit lines bl0 to bl5.*Elements are g_bl<c>_sl<r>"),
    ("hidden_3.c_bl0", "hidden_3.c_bl0 names no layer of this board; it has hidden_1, hidden_2, output"),
    ("output.g_bl0_bl2", "layer output has no element"), ("output.v_bl0", "layer output has no element v_bl0"),
    ("output.r_bl1_sl0", "layer output has no element r_bl1_sl0"),
    ("output.b_mean1", "has no element b_mean1"), ("output.g_sl0_bl1", "layer output has no element"),
])
def test_no_such_element(folder, element, says):
    with pytest.raises(CosimError, match=says):
        element_origins(read_manifest(folder / "macro"), element)


def test_a_node_of_squares_is_no_cells(folder):
    (made, number), = element_origins(read_manifest(folder / "macro"), "output.b_sq17")
    assert "node sq17 holds the square of the voltage of pair 17" in made.meaning and made.shares == () and np.isnan(number)


def test_a_flat_deck_has_no_such_elements(folder):
    with pytest.raises(CosimError, match="flat holds flat decks.*cosim compile --fidelity macro"):
        element_origins(read_manifest(folder / "flat"), "g_bl0_sl0")


def test_an_edited_deck_and_a_folder_of_an_earlier_version_are_told(folder):
    path = folder / "macro" / "blocks" / "arrays_output_macro.inc"
    text = path.read_text()
    try:
        path.write_text(re.sub(r"(?m)^(g_bl1_sl0 .* )(\S+)$", r"\g<1>1e-6", text))
        with pytest.raises(ResultsError, match=r"output_macro.inc:\d+ holds \[g_bl1_sl0 .*\], where .* make 6.1.*; undo"):
            element_origins(read_manifest(folder / "macro"), "output.g_bl1_sl0")
        path.write_text(re.sub(r"(?m)^g_bl1_sl0 .*\n", "", text))
        with pytest.raises(ResultsError, match="has no g_bl1_sl0, which the conductances make; compile again"):
            element_origins(read_manifest(folder / "macro"), "output.g_bl1_sl0")
        path.unlink()
        with pytest.raises(ResultsError, match="does not exist: .* a version that drew each array by itself.*compile it again"):
            element_origins(read_manifest(folder / "macro"), "output.g_bl1_sl0")
    finally:
        path.write_text(text)


def test_the_command_prints_cells_and_sum(folder, warm_shell):
    told = warm_shell.succeeds("inspect", folder / "macro", "--why", "output.r_bl3_gnd")
    assert "load of bl3" in told and "g_0_3" in told and "programmed [uS]" in told and "the wires' share" in told
    total, deck = re.search(r"sum (\S+) S; the deck has its inverse, in ohm: \S+; in the deck: (\S+)", told).groups()
    assert 1 / float(total) == pytest.approx(float(deck), rel=1e-7)
    assert "--loops and --why" in warm_shell.fails("inspect", folder / "macro", "--why", "c_bl0", "--loops")


def test_the_bill_counts_merged_arrays(folder, warm_shell):
    told = warm_shell.succeeds("inspect", folder / "macro")
    assert re.search(r"32x32 1T1R array\W+4\W+4", told)
