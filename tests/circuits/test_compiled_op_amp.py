"""The op-amp as a compiled device: the figures of the .lib, its currents and waveforms, and which decks get it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.engine.compiled.cards import FiguresError, compiled_cards, figures
from circuits.engine.compiled.op_amp import SOURCE, choose, op_amp
from circuits.engine.door.opening import open_deck
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import CircuitError, SimulationError
from circuits.parts import model_parameters, part_path, read_part, subcircuit_parameters

EXACT = "klu reltol=1e-6 abstol=1e-15 vntol=1e-10"  # what is left of a difference is then the devices' own
SUPPLIES = "v_cc vcc 0 2.5\nv_ee vee 0 -2.5\n"
PINS = "inp inn vcc vee out"


@pytest.fixture
def write(tmp_path):
    """A deck with the op-amp in it, in a folder of its own."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "opa4990.lib").write_text(part_path("opa4990").read_text())

    def deck(body, options=EXACT):
        path = tmp_path / "deck.cir"
        path.write_text(f"* test\n.include parts/opa4990.lib\n{SUPPLIES}{body.strip()}\n.options {options}\n.end\n")
        return path
    return deck


def forms(deck):
    """Waveforms of the subcircuit and of the compiled device."""
    results = [run(Job(deck=deck, op_amp=form, timeout=120)) for form in ("lib", "compiled")]
    assert [result.op_amp for result in results] == ["lib", "compiled"]
    assert results[0].plots[0].names == results[1].plots[0].names
    return [result.plots[0] for result in results]


# One source of figures


def test_this_machine_has_the_compiled_form():
    assert op_amp().module is not None, op_amp().why


def test_every_figure_of_the_device_is_that_of_the_lib():
    found = {name: float(value) for name, value in figures(read_part("opa4990")).items()}
    for kind in ("source", "sink", "bias"):
        card = model_parameters("opa4990", f"opa4990_{kind}")
        assert (found.pop(f"{kind}_vto"), found.pop(f"{kind}_kp")) == (card["vto"], card["kp"])
    clamp = model_parameters("opa4990", "opa4990_clamp")
    assert (found.pop("clamp_is"), found.pop("clamp_n")) == (clamp["is"], clamp["n"])
    # Those of the body, from the header of opa4990.lib; 1e-14 A is ngspice's own for a level-1 junction; 27 C
    assert found == {"two_pi": 6.283185307, "c_gain": 10e-12, "c_diff": 3e-12, "c_cm": 6e-12, "c_out": 141e-12,
                     "junction_is": 1e-14, "p_temp": 300.15}


def test_the_source_has_those_parameters_and_no_figure_of_its_own():
    text = re.sub(r"//.*", "", SOURCE.read_text())
    names = {kind: set(re.findall(rf"`{kind}\((\w+),", text)) - {"name"} for kind in ("MODEL", "INSTANCE")}
    assert names["MODEL"] == set(figures(read_part("opa4990")))
    assert names["INSTANCE"] == set(subcircuit_parameters("opa4990"))
    numbers = {float(word) for word in re.findall(r"(?<![\w.])\d+\.?\d*(?:e-?\d+)?", text)}
    physics = {1.38064852e-23, 1.6021766208e-19, 50.0, 49.0, 3.0, 8.0, 0.5, 0.0, 1.0, 2.0, 4.0}
    assert numbers <= physics


@pytest.mark.parametrize(("old", "new"), [
    ("cout out 0 141e-12", "cout out vee 141e-12"), ("ccm_n inn 0 6e-12", "ccm_n inn 0 7e-12"),
    ("nmos(level=1 vto=-54.8e-3", "nmos(level=1 lambda=0.01 vto=-54.8e-3"), ("mbias vcc", "r_more vcc vee 1e6\nmbias vcc"),
    ("dclamp_n out gain opa4990_clamp temp=27\n", ""),
])
def test_a_lib_that_the_source_does_not_compute_is_named(old, new):
    part = read_part("opa4990")
    assert old in part.text
    with pytest.raises(FiguresError, match=r"opa4990\.lib: \[.*\] is not \[.*\], which opa4990\.va computes"):
        figures(replace(part, text=part.text.replace(old, new)))


def test_a_figure_that_changes_in_the_lib_changes_in_the_device():
    part = read_part("opa4990")
    changed = replace(part, text=part.text.replace("cout out 0 141e-12", "cout out 0 100e-12"))
    assert figures(changed)["c_out"] == "100e-12"


def test_pins_parameters_and_the_gain_node_keep_their_names():
    text = [card.text for card in compiled_cards(read_part("opa4990").cards)]
    assert sum(line.startswith("nop inp inn vcc vee out gain cosim_opa4990 ") for line in text) == 1
    assert [line for line in text if line.startswith(".subckt")] == [
        card.text for card in read_part("opa4990").cards if card.keyword == ".subckt"]


# The same circuit

DIRECT = {  # body, smallest agreement wanted [V or A]
    "transfer, follower into 1 kohm": ("v_in inp 0 0\nx1 inp out vcc vee out opa4990\nr_load out 0 1e3\n"
                                       ".save v(out) v(x1.gain) i(v_cc) i(v_ee)\n.dc v_in -3 3 0.1", 1e-9),
    "transfer, open loop": ("v_in inp 0 0\nx1 inp 0 vcc vee out opa4990\nr_load out 0 10e3\n.save v(out) i(v_cc)\n"
                            ".dc v_in -3e-6 3e-6 0.1e-6", 1e-6),
    "output stage under load": ("x1 out_ref out vcc vee out opa4990\nv_ref out_ref 0 0\ni_load out 0 0\n.save v(out) i(v_cc)\n"
                                ".dc i_load -50e-3 50e-3 1e-3", 1e-9),
    "clamp, output held": ("v_in inp 0 0\nx1 inp 0 vcc vee out opa4990\nv_out out 0 0\n.save v(x1.gain) i(v_out)\n"
                           ".dc v_in -2 2 0.1", 1e-9),
    "esd path, output driven out of the rails": ("v_in inp 0 0\nx1 inp 0 vcc vee out opa4990\ni_out 0 out 0\n"
                                                 ".save v(out) i(v_cc) i(v_ee)\n.dc i_out -0.3 0.3 10e-3", 1e-9),
    "clamp with a large slew rate": ("v_in inp 0 0\nx1 inp 0 vcc vee out opa4990 sr=400e6\nv_out out 0 0\n"
                                     ".save v(x1.gain) i(v_out)\n.dc v_in -2 2 0.1", 1e-9),
    "supplies swept": ("v_in inp 0 0.2\nx1 inp out vcc vee out opa4990\nr_load out 0 1e3\n.save v(out) i(v_cc)\n"
                       ".dc v_cc 1.35 20 0.5", 1e-9),
    "temperature swept": ("v_in inp 0 0.2\nx1 inp out vcc vee out opa4990\nr_load out 0 1e3\n.save v(out) i(v_cc)\n"
                          ".dc temp -40 125 33", 1e-9),
    "parameters": ("v_in inp 0 0.2\nx1 inp out vcc vee out opa4990 vos=0.3e-3 ib=1e-9 cmrr=1e3 aol=1e4\nr_load out 0 1e3\n"
                   "r_in inp 0 1e6\n.save v(out) i(v_in)\n.dc v_in -1 1 0.1", 1e-9),
}


@pytest.mark.parametrize(("body", "volts"), DIRECT.values(), ids=DIRECT.keys())
def test_direct_currents_and_voltages_agree(write, body, volts):
    one, other = forms(write(body))
    assert len(one) > 4
    assert np.ptp(one.data[:, 1]) > 1e-6 or "temp" in body  # something happens
    assert_allclose(other.data, one.data, rtol=1e-6, atol=volts)


def test_gmin_stands_across_the_same_junctions(write):
    # gmin of 1e-4 s from out to both rails, between the rails and twice across the clamp: 2.5 V * 1e-4 S more from vcc for each
    body = "v_in inp 0 0\nx1 inp out vcc vee out opa4990\nr_load out 0 1e3\n.save i(v_cc) v(out) v(x1.gain)\n.dc v_in -1 1 0.5"
    one, other = forms(write(body, options=f"{EXACT} gmin=1e-4"))
    assert_allclose(other.data, one.data, rtol=1e-6, atol=1e-9)
    without = forms(write(body))[1]
    assert_allclose((without["i(v_cc)"] - other["i(v_cc)"])[2], 2.5e-4 + 5e-4, rtol=0.01)


def test_slew_rate_and_clamp_follow_their_parameters(write):
    """4 V step at unity gain: where 3 V are left, the slope is sr * tanh(k_in * 3 V), within 2 % of sr."""
    one, other = forms(write("""
v_in inp 0 pulse(-2 2 5e-6 1e-9 1e-9 20e-6 1)
x1 inp out vcc vee out opa4990 sr=2e6
c_load out 0 20e-12
.save v(inp) v(out) v(x1.gain)
.tran 10e-9 15e-6 0 5e-9"""))
    times = np.linspace(0, 15e-6, 500)
    assert_allclose(other.resample("v(out)", times), one.resample("v(out)", times), rtol=0, atol=2e-5)  # at the step's corner
    rise = 0.2 / (other.crossing("v(out)", -1.0, 5e-6) - other.crossing("v(out)", -1.2, 5e-6))
    assert rise == pytest.approx(2e6, rel=0.02)


def test_overload_recovers_alike(write):
    one, other = forms(write("""
v_in in 0 pulse(-1 0 5e-6 1e-9 1e-9 1 2)
r_in in inn 1e3
r_f inn out 10e3
x1 0 inn vcc vee out opa4990
c_load out 0 20e-12
.save v(out) v(x1.gain)
.tran 5e-9 10e-6 0 2e-9"""))
    times = np.linspace(0, 10e-6, 1000)
    for vector in ("v(out)", "v(x1.gain)"):
        assert_allclose(other.resample(vector, times), one.resample(vector, times), atol=5e-5)  # slopes of 4.4 V/us, 10 ps
    assert one["v(x1.gain)"][0] - one["v(out)"][0] > 3  # the clamp holds in overload


@pytest.mark.parametrize("temperature", [-40, 27, 125])
def test_small_signals_agree(write, temperature):
    one, other = forms(write(f"""
v_in inp 0 dc 0.3 ac 1
x1 inp out vcc vee out opa4990 gbw=2e6
r_load out 0 1e3
c_load out 0 100e-12
.temp {temperature}
.save v(out) v(x1.gain)
.ac dec 10 10 1e8"""))
    assert_allclose(other["v(out)"], one["v(out)"], rtol=1e-6)
    assert_allclose(other["v(x1.gain)"], one["v(x1.gain)"], rtol=1e-6)
    assert abs(one["v(out)"][-1]) < 0.02 < abs(one["v(out)"][0])  # beyond its bandwidth


@pytest.mark.parametrize("temperature", [-40, 125])
def test_noise_agrees(write, temperature):
    one, other = forms(write(f"""
v_in inp 0 dc 0 ac 1
x1 inp out vcc vee out opa4990_noisy
.temp {temperature}
.save all
.noise v(out) v_in dec 5 1 1e5""", options=EXACT.replace("klu", "sparse")))
    assert_allclose(other["onoise_spectrum"], one["onoise_spectrum"], rtol=1e-5)
    assert_allclose(other["inoise_spectrum"], one["inoise_spectrum"], rtol=1e-5)


def test_noise_of_the_output_stage(write):
    """8/3 k t gm of two followers, gm = kp a each, across their 1/(2 gm) and c_out. ngspice 46 takes 27 K more for a transistor
    whose card gives it a temperature of 27 C; the compiled device does not."""
    one, other = forms(write("""
v_in inp 0 dc 0 ac 1
x1 inp inn vcc vee out opa4990
l_servo out inn 1e9
c_servo inn 0 1e6
.temp 125
.save all
.noise v(out) v_in dec 1 1e7 1e8""", options=EXACT.replace("klu", "sparse")))
    gm = 15.2e-3 * 54.8e-3
    impedance = 1 / abs(2 * gm + 2j * np.pi * other.scale.real * 141e-12)
    expected = np.sqrt(8 / 3 * 1.380649e-23 * 300.15 * 2 * gm) * impedance
    assert_allclose(other["onoise_spectrum"].real, expected, rtol=1e-3)
    assert_allclose(one["onoise_spectrum"].real, expected * np.sqrt(327.15 / 300.15), rtol=1e-3)


def test_a_corners_offset_in_the_definition_reaches_the_device(write):
    deck = write("x1 0 inn vcc vee out opa4990\nr_g inn 0 10\nr_f inn out 9990\n.save v(out)\n.op")
    lib = deck.parent / "parts" / "opa4990.lib"
    text = lib.read_text()
    assert text.count("params: vos=0") == 2
    lib.write_text("* corner offset_high: typical offset\n" + text.replace("params: vos=0", "params: vos=0.0003"))
    one, other = forms(deck)
    assert_allclose(other["v(out)"], one["v(out)"], rtol=1e-9)
    assert other["v(out)"][0] == pytest.approx(0.3, rel=1e-3)  # 1000 times 0.3 mV


# Which decks get it

FOLLOWER = "v_in inp 0 1\nx1 inp out vcc vee out opa4990\n"
OP = ".save v(out)\n.op"
KEPT = {  # why, and the deck
    "an analysis .tf": f"{FOLLOWER}.save v(out)\n.tf v(out) v_in",
    "noise device by device": f"{FOLLOWER}.save all\n.noise v(out) v_in dec 5 1 1e5 1",
    "a value inside a device": f"{FOLLOWER}.save v(out) @m.x1.msource[id]\n.op",
    "option savecurrents": f"{FOLLOWER}{OP}\n.options savecurrents",
    "option tnom": f"{FOLLOWER}{OP}\n.options tnom=50",
    "a multiplier": f"{FOLLOWER} \nx2 inp out2 vcc vee out2 opa4990 m=2\n{OP}",
    "a function tanh of its own": f"{FOLLOWER}.func tanh(x) {{x}}\n{OP}",
    "several files define opa4990": f"{FOLLOWER}.include parts/more.lib\n{OP}",
    "is not the project's own opa4990": f"{FOLLOWER}.include parts/mine.lib\n{OP}",
    "a model of the op-amp's once more": f"{FOLLOWER}.model OPA4990_clamp d(is=1e-12)\n{OP}",
    "the name cosim_opa4990": f"{FOLLOWER}.param cosim_opa4990=1\n{OP}",
}


@pytest.mark.parametrize(("why", "body"), KEPT.items(), ids=KEPT.keys())
def test_a_deck_that_would_see_the_difference_keeps_its_subcircuit(write, why, body):
    deck = write(body, options="sparse" if "noise" in body else "klu")
    parts = deck.parent / "parts"
    (parts / "more.lib").write_text(".subckt opa4990 inp inn vcc vee out\nr1 out inp 1\n.ends\n")
    if "mine" in body:
        text = (parts / "opa4990.lib").read_text()
        (parts / "mine.lib").write_text(text.replace("aol/gm", "aol/gm/2"))
        deck.write_text(deck.read_text().replace(".include parts/opa4990.lib\n", ""))
    files, request = open_deck(deck)
    chosen = choose(files, request, Job(deck=deck))
    assert (chosen.op_amp, chosen.module, chosen.key) == ("lib", None, "")
    assert why in chosen.why
    assert list(chosen.files) == files
    with pytest.raises(SimulationError, match="insists on the compiled op-amp and cannot have it"):
        run(Job(deck=deck, op_amp="compiled"))


def test_a_deck_without_the_op_amp_runs_as_it_is(tmp_path):
    (tmp_path / "rc.cir").write_text("* rc\nv1 a 0 1\nr1 a 0 1k\n.save v(a)\n.op\n.end\n")
    assert run(Job(deck=tmp_path / "rc.cir")).op_amp == ""


def test_the_deck_on_disk_stays_as_it_is(write):
    deck = write(f"{FOLLOWER}{OP}")
    before = {path: path.read_bytes() for path in deck.parent.rglob("*") if path.is_file()}
    assert run(Job(deck=deck)).op_amp == "compiled"
    assert {path: path.read_bytes() for path in deck.parent.rglob("*") if path.is_file()} == before


def test_measures_run_beside_the_compiled_device(write):
    deck = write("v_in inp 0 pulse(0 1 1e-6 1e-9 1e-9 1 2)\nx1 inp out vcc vee out opa4990\n.save v(out)\n.tran 10e-9 10e-6\n"
                 ".meas tran end find v(out) at=9.9e-6")
    result = run(Job(deck=deck))
    assert result.op_amp == "compiled"
    assert result.measure("end") == pytest.approx(1.0, abs=1e-4)


def test_a_job_names_a_form_that_there_is(tmp_path):
    with pytest.raises(CircuitError, match="op_amp = 'fast'; give 'any', 'compiled' or 'lib'"):
        Job(deck=tmp_path / "x.cir", op_amp="fast")
