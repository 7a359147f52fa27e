"""Compiled folders at corners: what is rendered from a manifest is what the compiler wrote, but for the corner."""

import json
import re
import shutil
from difflib import unified_diff
from pathlib import Path

import numpy as np
import pytest
import torch

from circuits.array.programming import Programming
from circuits.corners.corner import CORNERS
from circuits.engine.door.guard import check_deck
from circuits.errors import CircuitError
from circuits.netlist.solver import Solver
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.errors import ResultsError
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.folder.read import read_board
from cosim.problem.case import Case
from cosim.studies.corners.folder import read_nominal, write_corner_folder

HP = Path(__file__).parents[2] / "netlists" / "hp_memristor"
NOMINAL = CORNERS["nominal"]


@pytest.fixture(scope="module")
def hp():
    return read_nominal(read_manifest(HP))


@pytest.fixture(scope="module")
def wide():
    """A network of more inputs than an array has bit lines, without external inputs."""
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(1, 40), torch.nn.ReLU(), torch.nn.Linear(40, 1)).double()
    calibration = Calibration(inputs=np.empty((11, 0)), states=np.linspace(0, 1, 11)[:, None])
    return Experiment(subject="wide", model=model, columns=("x0",), calibration=calibration,
                      cases=(Case(name="free", stimuli=(), initial=(0.1,), duration=0.01),))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    folder = tmp_path_factory.mktemp("corner_folder") / "macro"
    small_experiment.compile(folder, Options(fidelity="macro"))
    return folder


@pytest.fixture
def macro(tmp_path, compiled):
    """A folder with macromodels that a test may spoil."""
    return Path(shutil.copytree(compiled, tmp_path / "macro"))


# rendered from the manifest


@pytest.mark.parametrize("options", [
    Options(), Options(fidelity="macro"), Options(all_cells=False), Options(kappa=1.0),
    Options(fidelity="macro", neuron="two_stage", lead=20e-6, time_scale=0.01, max_step=1e-4,
            solver=Solver(trtol=50.0, chgtol=1e-11)),
    Options(programming=Programming(levels=64, error=0.022, seed=5)),
], ids=["flat", "macro", "trimmed", "kappa", "fast", "programmed"])
@pytest.mark.parametrize("kind", ["small", "wide"])
def test_a_folder_is_rendered_from_its_manifest_to_the_last_byte(small_experiment, wide, tmp_path, kind, options):
    (small_experiment if kind == "small" else wide).compile(tmp_path, options)
    rendered = read_nominal(read_manifest(tmp_path)).files(NOMINAL)
    assert rendered == {name: (tmp_path / name).read_text() for name in rendered}
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    conductances = {name for name in there if name.startswith("conductances/")}
    assert there == rendered.keys() | conductances | {"manifest.json", "weights.npz"}


def test_the_committed_twin_is_rendered_from_its_manifest(hp):
    rendered = hp.files(NOMINAL)
    assert rendered == {name: (HP / name).read_text() for name in rendered}
    assert {f"{case}.cir" for case in ("sine", "triangular", "rectangular", "modulated_sine")} <= rendered.keys()


PLACES = {"offset": "parts/opa4990.lib", "temperature": "parts/opa4990.lib", "diode": "parts/d1n4148.lib",
          "vto_shift": "parts/nmos_select.lib", "kp_factor": "parts/nmos_select.lib", "wire_factor": "blocks/cell_1t1r.inc",
          "supply": "sine.cir"}


@pytest.mark.parametrize("name", [name for name in CORNERS if name != "nominal"])
def test_the_committed_twin_at_a_corner(hp, name):
    corner = CORNERS[name]
    files = hp.files(corner)
    changed = {path for path in files if files[path] != (HP / path).read_text()}
    decks = {path for path in files if path.endswith(".cir")}
    assert changed == decks | {PLACES[field] for field in corner.changes}
    for path in decks:
        diff = unified_diff((HP / path).read_text().splitlines(), files[path].splitlines(), n=0, lineterm="")
        lines = [line[1:] for line in diff if line.startswith("+") and not line.startswith("+++")]
        assert lines[0].startswith(f"* corner     {name}: ")
        volts = {0.9: "2.25", 1.08: "2.7"}.get(corner.supply)
        if volts:
            assert lines[1:3] == [f"v_cc vcc 0 dc {volts}  ; V", f"v_ee vee 0 dc -{volts}  ; V"]
            assert lines[3].startswith(f"v_sel sel 0 pwl(0 0 0.005 0 0.00500001 {volts})") and len(lines) == 4
        else:
            assert lines[1:] == ([f".temp {corner.temperature:g}  ; degC"] if "temperature" in corner.changes else [])


@pytest.mark.parametrize(("options", "name"), [
    (Options(all_cells=False), "hot"), (Options(fidelity="macro"), "wires_x2"), (Options(kappa=1.0), "low_supply")])
def test_a_corner_keeps_what_was_compiled(small_experiment, tmp_path, options, name):
    small_experiment.compile(tmp_path / "nominal", options)
    write_corner_folder(read_manifest(tmp_path / "nominal"), tmp_path / name, CORNERS[name])
    nominal, there = (check_deck(tmp_path / folder / "sine.cir") for folder in ("nominal", name))
    assert [file.relative for file in there] == [file.relative for file in nominal]
    for path in ("weights.npz", *(f"conductances/{layer}.inc" for layer in ("hidden_1", "hidden_2", "output"))):
        assert (tmp_path / name / path).read_bytes() == (tmp_path / "nominal" / path).read_bytes()


# which corner a folder is at


def test_the_manifest_says_which_corner_a_folder_is_at(macro, tmp_path, small_experiment):
    nominal = json.loads((macro / "manifest.json").read_text())
    write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])
    there = json.loads((tmp_path / "hot" / "manifest.json").read_text())
    corner = there.pop("corner")
    assert there == nominal
    assert (corner["name"], corner["temperature"], corner["supply"]) == ("hot", 85.0, 1.0)
    with pytest.raises(ResultsError, match=r"hot is at corner hot, of which .*; name the folder of the nominal decks"):
        read_board(read_manifest(tmp_path / "hot"))
    with pytest.raises(ResultsError, match="hot is at corner hot"):
        write_corner_folder(read_manifest(tmp_path / "hot"), tmp_path / "cold", CORNERS["cold"])
    small_experiment.compile(tmp_path / "hot", Options(fidelity="macro"))  # over it: nominal decks, and a manifest that says so
    assert read_board(read_manifest(tmp_path / "hot")).n_states == 1


def test_the_nominal_corner_is_the_nominal_folder(macro, tmp_path, contents):
    write_corner_folder(read_manifest(macro), tmp_path / "nominal", NOMINAL)
    assert contents(tmp_path / "nominal") == contents(macro)


@pytest.mark.parametrize("corner", ["hot", [], {"reason": "no name"}])
def test_a_damaged_corner_is_not_a_nominal_folder(macro, corner):
    manifest = json.loads((macro / "manifest.json").read_text())
    (macro / "manifest.json").write_text(json.dumps(manifest | {"corner": corner}))
    with pytest.raises(ResultsError, match="manifest.json is damaged"):
        read_board(read_manifest(macro))


# refusals


def test_a_corner_over_the_nominal_folder_is_refused(hp, contents):
    before = contents(HP)
    with pytest.raises(CircuitError, match="corner hot would overwrite the nominal decks in .*; name another folder"):
        hp.write(HP, CORNERS["hot"])
    assert contents(HP) == before


@pytest.mark.parametrize(("path", "old", "new", "says"), [
    ("sine.cir", "v_ref v_ref 0 dc 0.2 ", "v_ref v_ref 0 dc 0.21 ", r"\[v_ref v_ref 0 dc 0.21\] where .* dc 0.2\]"),
    ("sine.cir", ".meas tran x0_end", ".ic v(x0_p)=1\n.meas tran x0_end", r"\[.ic v\(x0_p\)=1\]"),
    ("parts/opa4990.lib", "gbw=1.1e6", "gbw=1.2e6", r"gbw=1.2e6"),
    ("parts/d1n4148.lib", "\n.model d1n4148_b ", "\n.model d1n4148_c ", "d1n4148_c"),
    ("blocks/relu_tia.inc", "\nr_f sl line {r_f}", "\nr_f sl line 10e3", r"\[r_f sl line 10e3\]"),
    ("blocks/board.inc", "\n.ends board", "\nr_more d0 0 1e6\n.ends board", "r_more"),
])
def test_a_corner_does_not_lose_what_was_edited(macro, tmp_path, path, old, new, says):
    text = (macro / path).read_text()
    assert text.count(old) == 1
    (macro / path).write_text(text.replace(old, new))
    with pytest.raises(ResultsError, match=f"{re.escape(path)}:[0-9]+ holds .*{says}.*undo the edit or compile again"):
        write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])
    assert not (tmp_path / "hot").exists()


def test_a_macromodel_of_other_conductances_is_refused(macro, tmp_path):
    path = macro / "conductances" / "output.inc"
    path.write_text(re.sub(r"g_0_0=\S+", "g_0_0=3e-05", path.read_text()))
    with pytest.raises(ResultsError, match="blocks/array_output_macro.inc:[0-9]+ holds"):
        write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])


def test_a_deck_that_is_gone_is_refused(macro, tmp_path):
    (macro / "sine.cir").unlink()
    with pytest.raises(ResultsError, match=r"sine.cir does not exist; compile again"):
        write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])


def test_remarks_and_last_digits_are_no_edit(macro, tmp_path):
    deck, array = macro / "sine.cir", macro / "blocks" / "array_output_macro.inc"
    deck.write_text(deck.read_text().replace("  ; V, bias reference", "  ; V, a word of my own") + "* and a remark\n")
    number = re.search(r"\ng_bl0_sl0 0 sl0 bl0 0 (\S+)", array.read_text())[1]
    array.write_text(array.read_text().replace(number, repr(float(number) * (1 + 1e-11))))
    write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])
    assert json.loads((tmp_path / "hot" / "manifest.json").read_text())["corner"]["name"] == "hot"


def test_a_field_that_the_decks_need_is_missed(macro, tmp_path):
    whole = json.loads((macro / "manifest.json").read_text())
    layers = [whole["layers"][0] | {"name": "../../hidden_1"}, *whole["layers"][1:]]
    for damaged in ({key: value for key, value in whole.items() if key != "solver"}, whole | {"solver": {"trtol": 0.5}},
                    whole | {"fidelity": "fine"}, whole | {"layers": layers}):
        (macro / "manifest.json").write_text(json.dumps(damaged))
        with pytest.raises(ResultsError, match=r"manifest.json is damaged .*; compile again"):
            write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])


@pytest.mark.parametrize("weights", ["../weights.npz", "/tmp/weights.npz"])
def test_nothing_is_written_outside_the_corners_folder(macro, tmp_path, weights):
    manifest = json.loads((macro / "manifest.json").read_text())
    weights = weights.replace("/tmp", str(tmp_path))
    shutil.move(macro / "weights.npz", macro / weights)
    (macro / "manifest.json").write_text(json.dumps(manifest | {"model": manifest["model"] | {"weights": weights}}))
    with pytest.raises(ResultsError, match=r"weights.npz, which are not in its folder .*; compile again"):
        write_corner_folder(read_manifest(macro), tmp_path / "deep" / "hot", CORNERS["hot"])
    assert not (tmp_path / "deep").exists()


def test_what_no_deck_includes_is_left_behind(macro, tmp_path):
    (macro / "blocks" / "array_old_macro.inc").write_text("* of an earlier compilation")
    write_corner_folder(read_manifest(macro), tmp_path / "hot", CORNERS["hot"])
    assert not (tmp_path / "hot" / "blocks" / "array_old_macro.inc").exists()
    assert not list((tmp_path / "hot").rglob("*.partial"))
