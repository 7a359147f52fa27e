"""Corners: each changes the deck's text where it says, and nowhere else."""

from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import pytest

from circuits.benches.blocks import block_bench
from circuits.corners.corner import CORNERS, Corner, find_corner
from circuits.corners.files import TEXT, corner_files, write_corner
from circuits.engine.guard import check_deck
from circuits.errors import CircuitError

HP = Path(__file__).parents[2] / "netlists" / "hp_memristor"
HP_FILES = {path.relative_to(HP).as_posix(): path.read_text() for path in HP.rglob("*") if path.suffix in TEXT}


def changed_lines(name, corner):
    """Lines that a corner puts into a file of the HP twin, without its own remark."""
    diff = unified_diff(HP_FILES[name].splitlines(), corner_files(HP_FILES, corner)[name].splitlines(), n=0, lineterm="")
    return [line[1:] for line in diff if line.startswith("+") and not line.startswith(("+++", "+* corner"))]


SUPPLY_LINES = {0.9: ("v_cc vcc 0 dc 2.25  ; V", "v_ee vee 0 dc -2.25  ; V", "0.00500001 2.25)"),
                1.08: ("v_cc vcc 0 dc 2.7  ; V", "v_ee vee 0 dc -2.7  ; V", "0.00500001 2.7)")}


@pytest.mark.parametrize("name", [n for n in CORNERS if n != "nominal"])
def test_a_corner_changes_what_it_names_and_nothing_else(name):
    corner = CORNERS[name]
    made = corner_files(HP_FILES, corner)
    changed = {path for path in made if made[path] != HP_FILES[path]}
    decks = {path for path in made if path.endswith(".cir")}  # each says in its banner that it is a corner
    wanted = {"offset": {"parts/opa4990.lib"}, "temperature": {"parts/opa4990.lib"}, "diode": {"parts/d1n4148.lib"},
              "vto_shift": {"parts/nmos_select.lib"}, "kp_factor": {"parts/nmos_select.lib"},
              "wire_factor": {"blocks/cell_1t1r.inc"}, "supply": set()}
    assert changed == decks.union(*(wanted[field] for field in corner.changes))
    for path in decks:
        lines = changed_lines(path, corner)
        if corner.supply != 1:
            assert lines[:2] == list(SUPPLY_LINES[corner.supply][:2])
            assert lines[2].startswith("v_sel ") and SUPPLY_LINES[corner.supply][2] in lines[2] and len(lines) == 3
        elif "temperature" in corner.changes:
            assert lines == [f".temp {corner.temperature:g}  ; degC, corner {name}"]
        else:
            assert lines == []
        title, remark = made[path].splitlines()[:2]
        assert title == HP_FILES[path].splitlines()[0] and remark.startswith(f"* corner     {name}: ")


@pytest.mark.parametrize(("name", "file", "lines"), [
    ("offset_high", "parts/opa4990.lib",
     [".subckt opa4990 inp inn vcc vee out params: vos=0.0003 ib=10e-12 gbw=1.1e6 sr=4.5e6 aol=3.16e6 cmrr=5.6e5",
      ".subckt opa4990_noisy inp inn vcc vee out params: vos=0.0003"]),
    ("cold", "parts/opa4990.lib",
     [".subckt opa4990 inp inn vcc vee out params: vos=-4.02e-05 ib=10e-12 gbw=1.1e6 sr=4.5e6 aol=3.16e6 cmrr=5.6e5",
      ".subckt opa4990_noisy inp inn vcc vee out params: vos=-4.02e-05"]),
    ("diode_b", "parts/d1n4148.lib",
     [".model d1n4148   d(is=4.352e-9 n=1.906 rs=0.6458 cjo=0.7048e-12 vj=0.869 m=0.03 tt=3.48e-9 bv=110 ibv=100e-6)"]),
    ("slow_transistor", "parts/nmos_select.lib",
     [".model nmos_select nmos(level=1 vto=0.715 kp=6.06697e-05 gamma=0.446 phi=0.8)"]),
    ("fast_transistor", "parts/nmos_select.lib",
     [".model nmos_select nmos(level=1 vto=0.515 kp=7.16703e-05 gamma=0.446 phi=0.8)"]),
    ("wires_x2", "blocks/cell_1t1r.inc",
     ["r_bl bl_near bl_far 3  ; ohm, wire segment", "r_sl sl_near sl_far 3  ; ohm, wire segment"]),
])
def test_the_changed_lines(name, file, lines):
    assert changed_lines(file, CORNERS[name]) == lines


def test_nominal_changes_no_byte():
    assert corner_files(HP_FILES, CORNERS["nominal"]) == HP_FILES


def test_changes_add_up():
    both = replace(CORNERS["offset_high"], name="both", supply=0.9, diode="b")
    made = corner_files(HP_FILES, both)
    assert "vos=0.0003" in made["parts/opa4990.lib"] and "dc 2.25" in made["sine.cir"]
    assert "offset 0.0003, diode b" in made["sine.cir"] and "supply 0.9" in made["sine.cir"]


def test_a_folder_at_a_corner_passes_the_door_and_keeps_manifest_and_weights(tmp_path):
    decks = write_corner(HP, tmp_path / "hot", CORNERS["hot"])
    assert [deck.name for deck in decks] == sorted(path.name for path in HP.glob("*.cir"))
    assert all(check_deck(deck) for deck in decks)
    for name in ("manifest.json", "weights.npz"):
        assert (tmp_path / "hot" / name).read_bytes() == (HP / name).read_bytes()
    assert not [path for path in (tmp_path / "hot").rglob("*.partial")]


def test_what_no_deck_includes_is_left_behind(tmp_path):
    (tmp_path / "nominal" / "blocks").mkdir(parents=True)
    for name, text in block_bench("cell_1t1r").files().items():
        (tmp_path / "nominal" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nominal" / name).write_text(text)
    (tmp_path / "nominal" / "blocks" / "array_old_macro.inc").write_text("* of an earlier compilation")
    write_corner(tmp_path / "nominal", tmp_path / "hot", CORNERS["hot"])
    assert not (tmp_path / "hot" / "blocks" / "array_old_macro.inc").exists()


@pytest.mark.parametrize(("name", "effects"), [
    ("nominal", {}), ("offset_high", {"offset": "nominal"}), ("diode_b", {"diode set b": "nominal"}),
    ("low_supply", {"supplies": "nominal"}), ("wires_x2", {"wires": "nominal"}),
    ("slow_transistor", {"select transistors": "nominal"}),
    ("hot", {name: f"hot_without_{name.replace(' ', '_')}" for name in ("offset", "diode leakage", "select transistors")}),
])
def test_effects_of_a_corner_are_taken_out_one_by_one(name, effects):
    assert {effect: one.name for effect, one in CORNERS[name].without().items()} == effects


@pytest.mark.parametrize(("effect", "file", "line"), [
    ("offset", "parts/opa4990.lib", None),
    ("diode leakage", "parts/d1n4148.lib",
     ".model d1n4148   d(is=2.52e-9 n=1.752 rs=0.568 cjo=4e-12 vj=1 m=0.4 tt=20e-9 bv=100 ibv=100e-6 tnom=85)"),
    ("select transistors", "parts/nmos_select.lib",
     ".model nmos_select nmos(level=1 vto=0.615 kp=66.67e-6 gamma=0.446 phi=0.8 tnom=85)"),
])
def test_one_effect_of_the_temperature_is_taken_out(effect, file, line):
    corner = CORNERS["hot"].without()[effect]
    assert corner.vos == (0 if effect == "offset" else CORNERS["hot"].vos)
    assert changed_lines(file, corner) == ([line] if line else [])
    assert ".temp 85  ; degC, corner " + corner.name in changed_lines("sine.cir", corner)


# refusals


def test_corner_over_the_nominal_folder_is_refused():
    with pytest.raises(CircuitError, match="would overwrite the nominal decks"):
        write_corner(HP, HP, CORNERS["hot"])


def test_folder_without_decks_is_refused(tmp_path):
    with pytest.raises(CircuitError, match=r"holds no \.cir deck; compile first"):
        write_corner(tmp_path, tmp_path / "hot", CORNERS["hot"])


@pytest.mark.parametrize("name", ["slow_transistor", "wires_x2"])
def test_a_corner_that_changes_nothing_is_refused(name):
    with pytest.raises(CircuitError, match=f"corner {name} changes .*, and none of .* depends on it"):
        corner_files(block_bench("clamped_tia").files(), CORNERS[name])


def test_a_corner_of_a_corner_is_refused():
    with pytest.raises(CircuitError, match="is at corner hot already; make corner wires_x2 from the nominal decks"):
        corner_files(corner_files(HP_FILES, CORNERS["hot"]), CORNERS["wires_x2"])


@pytest.mark.parametrize("name", ["hot", "low_supply", "slow_transistor", "wires_x2"])
def test_a_macromodel_is_not_left_nominal(name):
    with pytest.raises(CircuitError, match=f"reduced away inside; corner {name} needs its macromodel made again"):
        corner_files(HP_FILES | {"blocks/array_output_macro.inc": "* nominal"}, CORNERS[name])


@pytest.mark.parametrize(("name", "file", "old", "new"), [
    ("low_supply", "sine.cir", "v_cc vcc 0 dc 2.5", "v_pos vcc 0 dc 2.5"),
    ("offset_low", "parts/opa4990.lib", "vos=0 ", "vos=1e-3 "),
    ("diode_b", "parts/d1n4148.lib", ".model d1n4148_b", ".model d1n4148_c"),
    ("wires_x2", "blocks/cell_1t1r.inc", "r_bl ", "r_wire "),
    ("slow_transistor", "parts/nmos_select.lib", "level=1 vto", "level=3 vto"),
    ("hot", "sine.cir", ".options ", ".option "),
])
def test_a_place_that_is_not_found_is_an_error(name, file, old, new):
    with pytest.raises(CircuitError, match=f"{file}: corner {name} looked for"):
        corner_files(HP_FILES | {file: HP_FILES[file].replace(old, new)}, CORNERS[name])


def test_an_offset_of_the_decks_own_is_not_overruled():
    files = HP_FILES | {"blocks/tia.inc": HP_FILES["blocks/tia.inc"].replace(" opa4990", " opa4990 vos=1e-3")}
    with pytest.raises(CircuitError, match=r"blocks/tia.inc gives an op-amp its own vos"):
        corner_files(files, CORNERS["offset_low"])


@pytest.mark.parametrize(("changes", "message"), [
    ({"temperature": 150.0}, "specified from -40 to 125"), ({"supply": 1.2}, r"supplies of \+-3 V"), ({"supply": 0.5}, "allow"),
    ({"diode": "c"}, "there are 'a' and 'b'"), ({"kp_factor": 0.0}, "must be positive"),
    ({"wire_factor": -1.0}, "must be positive"),
])
def test_impossible_corners(changes, message):
    with pytest.raises(CircuitError, match=message):
        Corner(name="x", reason="", **changes)


def test_an_unknown_corner_is_named():
    with pytest.raises(CircuitError, match="no corner named 'warm'; there are nominal, cold, hot"):
        find_corner("warm")
    assert find_corner("hot") is CORNERS["hot"]
