"""The card reader: definitions read as data and written again, parts with other figures, two texts held against each other."""

from pathlib import Path

import numpy as np
import pytest

from circuits.array.conductances import conductance_text, read_conductances
from circuits.array.crossbar import SIZE
from circuits.cards.card import Card, parse_cards
from circuits.cards.definition import Model, Subcircuit, assignments, words_before_assignments
from circuits.cards.difference import first_difference
from circuits.cards.number import spice_number
from circuits.errors import CircuitError, RejectedDeck
from circuits.parts import FOLDER, Part, model_parameters, read_part, subcircuit_parameters


def card(text):
    return Card(file=Path("x.lib"), line=7, text=text)


@pytest.mark.parametrize(("text", "name", "kind", "parameters"), [
    (".model d1 d(is=1e-9 n=1.7)", "d1", "d", {"is": "1e-9", "n": "1.7"}),
    (".MODEL D1 D (IS = 1E-9  N=1.7 )", "d1", "d", {"is": "1e-9", "n": "1.7"}),
    (".model m1 nmos level=1 vto={a + b}", "m1", "nmos", {"level": "1", "vto": "{a + b}"}),
    (".model d2 d", "d2", "d", {}), (".model d2 d()", "d2", "d", {}),
])
def test_models(text, name, kind, parameters):
    model = Model.read(card(text))
    assert (model.name, model.kind, model.parameters) == (name, kind, parameters)
    assert Model.read(card(model.text)) == model


@pytest.mark.parametrize(("text", "name", "pins", "parameters"), [
    (".subckt amp inp out params: vos=0 gbw=1e6", "amp", ("inp", "out"), {"vos": "0", "gbw": "1e6"}),
    (".subckt Amp Inp Out PARAMS: Vos = 0", "amp", ("inp", "out"), {"vos": "0"}),
    (".subckt amp inp out vos=0", "amp", ("inp", "out"), {"vos": "0"}), (".subckt amp inp out", "amp", ("inp", "out"), {}),
])
def test_subcircuits(text, name, pins, parameters):
    subcircuit = Subcircuit.read(card(text))
    assert (subcircuit.name, subcircuit.pins, subcircuit.parameters) == (name, pins, parameters)
    assert Subcircuit.read(card(subcircuit.text)) == subcircuit


@pytest.mark.parametrize(("kind", "text"), [(Model, ".model d1"), (Subcircuit, ".subckt"), (Subcircuit, ".subckt params: a=1")])
def test_definitions_without_a_name_are_refused(kind, text):
    with pytest.raises(RejectedDeck, match=r"x\.lib:7: .*; write '\."):
        kind.read(card(text))


def test_a_definition_is_changed_as_data():
    model = Model.read(card(".model m nmos(level=1 vto=0.6 kp=66.67e-6)"))
    assert model.having(kp=60.66970e-6, vto="0.7").text == ".model m nmos(level=1 vto=0.7 kp=6.06697e-05)"
    assert model.extended(tnom=-40.0).text == ".model m nmos(level=1 vto=0.6 kp=66.67e-6 tnom=-40)"
    assert model.text == ".model m nmos(level=1 vto=0.6 kp=66.67e-6)"  # itself unchanged
    assert model.value("kp") == 66.67e-6
    for wrong in (lambda: model.having(vt0=1.0), lambda: model.value("vt0")):
        with pytest.raises(CircuitError, match=r"\.model m has no parameter vt0; it has level, vto, kp"):
            wrong()
    with pytest.raises(CircuitError, match=r"\.model m has vto=\{v\}, which is not a SPICE number"):
        model.having(vto="{v}").value("vto")


def test_a_part_keeps_every_line_but_the_changed_one():
    text = "* head\n.model d1 d(is=1e-9\n* between\n+ n=1.7)\n\n.subckt d1 a k params: g=1  ; s\nd1 a k d1\n.ends d1\n"
    part = Part(name="d1", text=text)
    model = part.having(part.model("D1").having(n="2"))
    assert model.text == text.replace(".model d1 d(is=1e-9\n", ".model d1 d(is=1e-9 n=2)\n").replace("+ n=1.7)\n", "")
    both = model.having(model.subcircuit("d1").having(g=2.0))
    assert both.text.splitlines()[4] == ".subckt d1 a k params: g=2"
    assert (both.model("d1").value("n"), both.subcircuit("d1").value("g")) == (2, 2)
    with pytest.raises(CircuitError, match=r"d1\.lib holds no \.model d2"):
        part.model("d2")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.lib")))
def test_parts_written_again_unchanged_say_the_same(name):
    kinds = {kind.keyword: kind for kind in (Model, Subcircuit)}

    def said(part):
        return [kinds[line.keyword].read(line) if line.keyword in kinds else line.text for line in part.cards]

    part = again = read_part(name)
    for definition in said(part):
        if not isinstance(definition, str):
            again = again.having(definition)
    assert said(again) == said(part)
    assert [line for line in again.text.splitlines() if not line.startswith(".")] == [
        line for line in part.text.splitlines() if not line.startswith(".")]


def test_figures_of_parts_are_those_of_their_files():
    assert model_parameters("nmos_select", "nmos_select") == {"level": 1, "vto": 0.615, "kp": 66.67e-6, "gamma": 0.446,
                                                              "phi": 0.8}
    assert subcircuit_parameters("tmux1134") == {"r_on": 2, "r_flat": 0.986, "g_off": 1.2e-12, "v_a": 1.43, "v_b": 0.93,
                                                 "v_w": 0.01}
    with pytest.raises(CircuitError, match=r"d1n4148\.lib holds no \.subckt d1n4148"):
        subcircuit_parameters("d1n4148")
    with pytest.raises(CircuitError, match="no part named 'lm741'"):
        read_part("lm741")


@pytest.mark.parametrize(("text", "value"), [("10u", 10e-6), ("1meg", 1e6), ("5ms", 5e-3), ("-.5e3", -500), ("1mil", 25.4e-6),
                                             ("{a}", None), ("v1", None), ("", None)])
def test_numbers(text, value):
    assert spice_number(text) == (value if value is None else pytest.approx(value, rel=1e-12))


def test_words_and_pairs_of_a_card():
    text = "X1 a b Sub params: g = {1/r} w=2"
    assert (words_before_assignments(text), assignments(text)) == (["X1", "a", "b", "Sub"], {"g": "{1/r}", "w": "2"})
    assert (words_before_assignments("x1 a sub"), assignments("x1 a sub")) == (["x1", "a", "sub"], {})


# two texts


def difference(text, other, tolerance=0.0):
    found = first_difference(*(parse_cards(Path("x"), lines.splitlines()) for lines in (text, other)), tolerance=tolerance)
    return found and tuple(one and one.text for one in found)


def test_texts_of_one_circuit_are_told_from_others():
    assert difference("* a\nr1 a 0 1k ; ohm\n", "R1 A 0\n+ 1k\n* b\n") is None
    assert difference("r1 a 0 1k\n", "r1 b 0 1k\n") == ("r1 a 0 1k", "r1 b 0 1k")
    assert difference("r1 a 0 1k\n", "r1 a 0 1k\nr2 a 0 1\n") == (None, "r2 a 0 1")
    assert difference("r1 a 0 1k\n", "") == ("r1 a 0 1k", None)
    assert difference("r1 a 0 1.0\n", "r1 a 0 1.1\n", 1e-6) is not None
    assert difference("r1 a 0 1.0\n", "r1 a 0 1.0000001\n", 1e-6) is None
    assert difference("r1 a 0 1.0\n", "r1 a 0 1.0000001\n") is not None
    assert difference("r1 a1 0 1\n", "r1 a2 0 1\n", 10.0) is not None  # a node's name is no number


# conductances


def test_conductances_are_read_back(tmp_path):
    g = np.linspace(20e-6, 100e-6, SIZE * SIZE).reshape(SIZE, SIZE)
    text = conductance_text(g, "a", ["in use: all"])
    (tmp_path / "a.inc").write_text(text)
    np.testing.assert_allclose(read_conductances(tmp_path / "a.inc"), g, rtol=1e-6, atol=0)
    (tmp_path / "a.inc").write_text(text.replace(".param g_0_0=2e-05", ".param g_0_0=25u  ; S, by hand"))
    assert read_conductances(tmp_path / "a.inc")[0, 0] == pytest.approx(25e-6, rel=1e-12)


@pytest.mark.parametrize(("new", "says"), [
    ("", "has no g_0_0; compile the twin again"), (".param g_0_32=2e-05", "not a conductance of a cell"),
    (".param g_0_0={1/r}", "not a conductance of a cell"), ("r1 a 0 g_0_0=1", "not a conductance of a cell"),
    (".param h=1", "not a conductance of a cell"), (".param g_0_0", "has no g_0_0"),
])
def test_damaged_conductances_are_refused(tmp_path, new, says):
    text = conductance_text(np.full((SIZE, SIZE), 20e-6), "a")
    (tmp_path / "a.inc").write_text(text.replace(".param g_0_0=2e-05", new))
    with pytest.raises(CircuitError, match=says):
        read_conductances(tmp_path / "a.inc")
