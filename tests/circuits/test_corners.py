"""Corners: each is drawn into a deck where it says, and nowhere else."""

from dataclasses import replace
from difflib import unified_diff

import numpy as np
import pytest
from PySpice.Spice.Netlist import SubCircuit

from circuits.array.crossbar import SIZE
from circuits.benches.blocks import block_bench
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec
from circuits.board.testbench import Timing, board_deck
from circuits.corners import parts as corner_parts
from circuits.corners.board import board_at
from circuits.corners.corner import CORNERS, Corner, find_corner
from circuits.corners.deck import deck_at
from circuits.corners.parts import parts_at
from circuits.errors import CircuitError
from circuits.parts import read_part

NOMINAL = CORNERS["nominal"]
HIDDEN = LayerSpec(name="hidden_1", n_inputs=2, n_outputs=3, bias=True, relu=True, r_f=10e3)
OUTPUT = LayerSpec(name="output", n_inputs=3, n_outputs=1, bias=True, relu=False, r_f=12e3, last=True, undriven="n")
BOARD = BoardSpec(layers=(HIDDEN, OUTPUT), columns=("u0", "x0"), r_in=1e6, c_int=1e-6)
G = [[np.full((SIZE, SIZE), 40e-6)], [np.full((SIZE, SIZE), 60e-6)]]  # S


def drawn(corner, conductances=None):
    """A small board's deck with the corner's supplies, wires and transistors."""
    return board_deck(name="sine", title="board", banner=("purpose    a board",), spec=board_at(BOARD, corner, conductances),
                      stimuli=[["sin(0 0.1 10)"]], initial=[0.1], v_ref=0.2, timing=Timing(duration=0.1), supply=corner.rail)


def files(corner, conductances=None):
    return deck_at(drawn(corner, conductances), corner, nominal=drawn(NOMINAL, conductances)).files()


def changed_lines(corner, name, conductances=None):
    """Lines that a corner puts into a file, without its own remark."""
    before, after = files(NOMINAL, conductances)[name], files(corner, conductances)[name]
    diff = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line[1:] for line in diff if line.startswith("+") and not line.startswith(("+++", "+* corner"))]


PARTS = {"offset": {"parts/opa4990.lib"}, "temperature": {"parts/opa4990.lib"}, "diode": {"parts/d1n4148.lib"},
         "vto_shift": {"parts/nmos_select.lib"}, "kp_factor": {"parts/nmos_select.lib"},
         "wire_factor": {"blocks/cell_1t1r.inc"}, "supply": set()}
MACROS = {f"blocks/array_{name}_macro.inc" for name in ("hidden_1", "output")}


@pytest.mark.parametrize("name", [name for name in CORNERS if name != "nominal"])
@pytest.mark.parametrize("conductances", [None, G], ids=["flat", "macro"])
def test_a_corner_changes_what_it_names_and_nothing_else(name, conductances):
    corner = CORNERS[name]
    before, after = files(NOMINAL, conductances), files(corner, conductances)
    wanted = {"sine.cir"}.union(*(PARTS[field] for field in corner.changes))  # every deck says that it is at a corner
    if conductances is not None:  # wires and transistors are inside the macromodels, and their files are not there
        wanted -= {"parts/nmos_select.lib", "blocks/cell_1t1r.inc"}
        wanted |= MACROS if corner.reaches_arrays else set()
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} == wanted
    volts = {0.9: "2.25", 1.08: "2.7"}.get(corner.supply)
    assert changed_lines(corner, "sine.cir", conductances) == ([
        f"v_cc vcc 0 dc {volts}  ; V", f"v_ee vee 0 dc -{volts}  ; V",
        f"v_sel sel 0 pwl(0 0 0.005 0 0.00500001 {volts})  ; V, 0: initial conditioning, {volts}: integration"] if volts
        else [f".temp {corner.temperature:g}  ; degC"] if "temperature" in corner.changes else [])
    title, remark, purpose = after["sine.cir"].splitlines()[:3]
    assert (title, purpose) == ("* board", "* purpose    a board")
    assert remark == f"* corner     {name}: {corner.figures}; {corner.reason}; the measures' expectations stay nominal"


@pytest.mark.parametrize(("name", "file", "lines"), [
    ("offset_high", "parts/opa4990.lib",
     [".subckt opa4990 inp inn vcc vee out params: vos=0.0003 ib=10e-12 gbw=1.1e6 sr=4.5e6 aol=3.16e6 cmrr=5.6e5",
      ".subckt opa4990_noisy inp inn vcc vee out params: vos=0.0003"]),
    ("cold", "parts/opa4990.lib",
     [".subckt opa4990 inp inn vcc vee out params: vos=-4.02e-05 ib=10e-12 gbw=1.1e6 sr=4.5e6 aol=3.16e6 cmrr=5.6e5",
      ".subckt opa4990_noisy inp inn vcc vee out params: vos=-4.02e-05"]),
    ("diode_b", "parts/d1n4148.lib",
     [".model d1n4148 d(is=4.352e-9 n=1.906 rs=0.6458 cjo=0.7048e-12 vj=0.869 m=0.03 tt=3.48e-9 bv=110 ibv=100e-6)"]),
    ("slow_transistor", "parts/nmos_select.lib",
     [".model nmos_select nmos(level=1 vto=0.715 kp=6.06697e-05 gamma=0.446 phi=0.8)"]),
    ("fast_transistor", "parts/nmos_select.lib",
     [".model nmos_select nmos(level=1 vto=0.515 kp=7.16703e-05 gamma=0.446 phi=0.8)"]),
    ("wires_x2", "blocks/cell_1t1r.inc",
     ["r_bl bl_near bl_far 3.0  ; ohm, wire segment", "r_sl sl_near sl_far 3.0  ; ohm, wire segment"]),
])
def test_the_changed_lines(name, file, lines):
    assert changed_lines(CORNERS[name], file) == lines


def test_a_changed_part_keeps_its_header_and_says_its_corner_first():
    text, nominal = parts_at(CORNERS["slow_transistor"])["nmos_select"].text, read_part("nmos_select").text
    assert text.splitlines()[0] == f"* corner slow_transistor: {CORNERS['slow_transistor'].reason}"
    assert text.splitlines()[1:-1] == nominal.splitlines()[:-1]  # the model is the file's last line


def test_nominal_changes_no_byte():
    assert files(NOMINAL) == drawn(NOMINAL).files()
    assert parts_at(NOMINAL) == {}
    assert board_at(BOARD, NOMINAL) == BOARD


def test_changes_add_up():
    both = replace(CORNERS["offset_high"], name="both", supply=0.9, diode="b")
    after = files(both)
    assert "vos=0.0003" in after["parts/opa4990.lib"] and "dc 2.25" in after["sine.cir"]
    assert "offset 0.0003, diode b" in after["sine.cir"] and "supply 0.9" in after["sine.cir"]


@pytest.mark.parametrize(("name", "effects"), [
    ("nominal", {}), ("offset_high", {"offset": "nominal"}), ("diode_b", {"diode set b": "nominal"}),
    ("low_supply", {"supplies": "nominal"}), ("wires_x2", {"wires": "nominal"}),
    ("slow_transistor", {"select transistors": "nominal"}),
    ("hot", {name: f"hot_without_{name.replace(' ', '_')}" for name in ("offset", "diode leakage", "select transistors")}),
])
def test_effects_of_a_corner_are_taken_out_one_by_one(name, effects):
    assert {effect: corner.name for effect, corner in CORNERS[name].without().items()} == effects


@pytest.mark.parametrize(("effect", "file", "line"), [
    ("offset", "parts/opa4990.lib", None),
    ("diode leakage", "parts/d1n4148.lib",
     ".model d1n4148 d(is=2.52e-9 n=1.752 rs=0.568 cjo=4e-12 vj=1 m=0.4 tt=20e-9 bv=100 ibv=100e-6 tnom=85)"),
    ("select transistors", "parts/nmos_select.lib",
     ".model nmos_select nmos(level=1 vto=0.615 kp=66.67e-6 gamma=0.446 phi=0.8 tnom=85)"),
])
def test_one_effect_of_the_temperature_is_taken_out(effect, file, line):
    corner = CORNERS["hot"].without()[effect]
    assert corner.vos == (0 if effect == "offset" else CORNERS["hot"].vos)
    assert changed_lines(corner, file) == ([line] if line else [])
    assert ".temp 85  ; degC" in changed_lines(corner, "sine.cir")


def test_a_wide_layers_lines_that_hang_follow_a_common_offset():
    board = replace(BOARD, layers=(replace(HIDDEN, n_outputs=20), replace(OUTPUT, n_inputs=20)))
    conductances = [[G[0][0]], [G[0][0]] * 2]
    for name, letter in (("nominal", "g"), ("wires_x2", "g"), ("offset_high", "r"), ("hot", "r")):
        corner = CORNERS[name]
        deck = board_deck(name="sine", title="t", banner=(), spec=board_at(board, corner, conductances), stimuli=[["dc 0"]],
                          initial=[0.1], v_ref=0.2, timing=Timing(duration=0.1), supply=corner.rail)
        text = deck.files()["blocks/arrays_output_macro.inc"]
        for line in (0, 32):  # one in each array
            assert f"\n{letter}_bl{line + 1}_sl0 " in text
            assert f"\ng_bl{line}_sl0 " in text  # an op-amp drives it


# refusals


@pytest.mark.parametrize("name", ["slow_transistor", "wires_x2"])
def test_a_corner_that_changes_nothing_is_refused(name):
    with pytest.raises(CircuitError, match=f"corner {name} changes .*, and none of .*clamped_tia.cir depends on it"):
        block_bench("clamped_tia", CORNERS[name])


@pytest.mark.parametrize(("name", "part", "old", "new", "says"), [
    ("offset_low", "opa4990", "vos=0 ib", "v_offset=0 ib", ".subckt opa4990 has no parameter vos; it has v_offset, ib, gbw"),
    ("offset_low", "opa4990", ".subckt opa4990_noisy", ".subckt noisy", "opa4990.lib holds no .subckt opa4990_noisy"),
    ("diode_b", "d1n4148", ".model d1n4148_b", ".model d1n4148_c", "d1n4148.lib holds no .model d1n4148_b"),
    ("slow_transistor", "nmos_select", "vto=", "vt0=", ".model nmos_select has no parameter vto; it has level, vt0, kp"),
    ("fast_transistor", "nmos_select", "kp=66.67e-6 gamma", "kp={k} gamma", "kp={k}, which is not a SPICE number"),
])
def test_what_a_part_does_not_define_is_an_error(monkeypatch, name, part, old, new, says):
    other = replace(read_part(part), text=read_part(part).text.replace(old, new))
    assert other != read_part(part)
    monkeypatch.setattr(corner_parts, "read_part", lambda wanted: other if wanted == part else read_part(wanted))
    with pytest.raises(CircuitError) as refused:
        parts_at(CORNERS[name])
    assert f"corner {name} cannot change " in str(refused.value) and says in str(refused.value)


def test_an_offset_of_the_decks_own_is_not_overruled():
    def offset(deck):
        s = SubCircuit("wrapped", "vcc", "vee")
        s.X("op", "opa4990", 0, "sl", "vcc", "vee", "sl", vos=1e-3)
        wrapped = replace(deck.block, netlist=s, uses=(), notes={})
        return replace(deck, block=replace(deck.block, uses=(*deck.block.uses, wrapped)))

    corner = CORNERS["offset_low"]
    with pytest.raises(CircuitError, match=r"block wrapped gives its op-amp xop its own vos, which corner offset_low \(-0.0"):
        deck_at(offset(drawn(corner)), corner, nominal=offset(drawn(NOMINAL)))
    diode_b = CORNERS["diode_b"]
    assert deck_at(offset(drawn(diode_b)), diode_b, nominal=offset(drawn(NOMINAL))).changed_parts  # has no offset of its own


def test_a_reason_cannot_bring_a_card_along():
    corner = Corner(name="x", reason="warm\n.include parts/other.lib", temperature=60.0)
    with pytest.raises(CircuitError, match="would inject a card"):
        files(corner)


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
