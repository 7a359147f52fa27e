"""The part benches are the tests of the parts: every property within its tolerance, or named in the part's header.

Beside them stands what the macromodel must give by hand, where that is narrower than the datasheet's figure.
"""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.benches import opa4990, tmux1134
from circuits.benches.base import Bench
from circuits.benches.findings import BENCHES, Finding, bench_decks, header_text, run_benches
from circuits.errors import CircuitError
from circuits.parts import FOLDER, model_parameters


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_benches(tmp_path_factory.mktemp("benches"))


@pytest.fixture(scope="module")
def model(run):
    """Measured figure by part, property and condition."""
    return {(f.bench.part, f.bench.property, f.bench.condition): f.model for f in run[0]}


@pytest.fixture(scope="module")
def waveforms(run):
    return lambda name: run[1][name].waveforms


def label(bench):
    return f"{bench.part}-{bench.property}-{bench.condition}".replace(" ", "_")


@pytest.mark.parametrize("k", range(len(BENCHES)), ids=[label(b).encode("ascii", "ignore").decode() for b in BENCHES])
def test_property_is_met_or_named(run, k):
    finding = run[0][k]
    assert finding.verdict in ("met", "named"), f"{finding.model:.4g} {finding.bench.unit}, deviation {finding.deviation:.3g}"


@pytest.mark.parametrize("bench", [b for b in BENCHES if b.named], ids=label)
def test_named_deviation_stands_in_the_header_and_is_there(run, bench):
    finding = run[0][BENCHES.index(bench)]
    assert bench.named in header_text(bench.part)
    assert not finding.within  # else the header complains of what is met


def test_the_op_amp_is_measured_in_both_forms(run):
    for finding in run[0]:
        if finding.bench.part != "opa4990":
            assert finding.compiled is None
        elif finding.bench.property == "sum of the pin currents":
            assert finding.compiled < 1e-11  # A, rounding in both forms
        else:  # what is left are ngspice's tolerances, 1e-3 of a voltage at a rail
            assert finding.compiled == pytest.approx(finding.model, rel=2e-3), finding.bench.property


def test_every_part_has_benches():
    assert {b.part for b in BENCHES} == {path.stem for path in FOLDER.glob("*.lib")}


def test_every_bench_is_its_own_line():
    assert len({label(b) for b in BENCHES}) == len(BENCHES)
    assert len({deck.name for deck in bench_decks()}) == len(bench_decks())


# what makes a bench fail


def finding(model, **changes):
    bench = dataclasses.replace(next(b for b in BENCHES if b.property == "gain-bandwidth"), **changes)
    return Finding(bench=bench, model=model)


def test_verdicts():
    assert finding(1.12e6).verdict == "met"
    assert finding(1.13e6).verdict == "outside"  # 2.7 % of 2 %
    assert finding(1.13e6, named="words that stand nowhere").verdict == "outside"
    assert finding(1.13e6, named="cannot be met together").verdict == "named"
    assert finding(np.nan).verdict == "outside"
    assert dataclasses.replace(finding(1.12e6), compiled=1.13e6).verdict == "outside"  # both forms have to be within
    assert dataclasses.replace(finding(1.12e6), compiled=1.11e6).verdict == "met"
    assert finding(0.99e6).deviation == pytest.approx(-0.1)
    assert finding(1.1e6 + 5, tolerance=4.0, absolute=True).verdict == "outside"


@pytest.mark.parametrize("changes", [{"tolerance": 0.2}, {"figure": 0.0}, {"tolerance": 0.0}, {"figure": np.inf}])
def test_a_bench_cannot_be_lenient(changes):
    with pytest.raises(CircuitError, match="gain-bandwidth"):
        finding(1.0, **changes)


def test_a_relative_tolerance_may_not_pass_the_rule_of_ten_percent():
    with pytest.raises(CircuitError, match="name the deviation in the part's header"):
        Bench(property="p", condition="c", figure=1, unit="V", source="s", deck=opa4990.SLEW, measure=len, tolerance=0.11)


@pytest.mark.parametrize(("changes", "message"), [
    ({"name": "a b"}, "deck name 'a b'"),
    ({"body": "r_1 a 0 1\n.op"}, "saves no vector"),
])
def test_impossible_decks(changes, message):
    with pytest.raises(CircuitError, match=message):
        dataclasses.replace(opa4990.SLEW, **changes)


# temperature

HELD = ("opa4990", "tmux1134", "memristor")  # their headers say that temperature is not modelled


@pytest.mark.parametrize("celsius", [-40, 85])
def test_parts_without_temperature_do_not_move_with_it(run, tmp_path, celsius):
    benches = [dataclasses.replace(b, deck=dataclasses.replace(b.deck, body=f".temp {celsius}\n{b.deck.body}"))
               for b in BENCHES if b.part in HELD]
    findings, _ = run_benches(tmp_path, benches)
    moved = {}
    for nominal, other in zip([f for f in run[0] if f.bench.part in HELD], findings, strict=True):
        slack = nominal.bench.tolerance if nominal.bench.absolute else 1e-3 * abs(nominal.model)
        if abs(other.model - nominal.model) > slack:
            moved[label(nominal.bench)] = (nominal.model, other.model)
    assert moved == {}


# op-amp, by hand

AOL = 3.16e6  # 130 dB


@pytest.mark.parametrize("vos", [0.3e-3, -0.3e-3])
def test_offset_at_gain_1000(waveforms, vos):
    # gain 1000/(1 + 1000/aol); 10 pA out of the input through 9990 ohm lowers the output by 0.1 uV. rtol: 30 uA into
    # 10 kohm drops 0.02 V across the output resistance, which costs 0.02 V/aol at the input, 20 ppm of 0.3 mV
    out = waveforms(opa4990.offset(vos).name)["v(out)"][0]
    assert_allclose(out, vos * 1000 / (1 + 1000 / AOL) - 0.1e-6, rtol=4e-5, atol=2e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("r_load", "supply"), [(10e3, 20), (2e3, 20), (10e3, 2.5), (2e3, 2.5)])
def test_swing_is_the_triode_drop(model, sign, r_load, supply):
    rail = "high" if sign > 0 else "low"
    drop = model["opa4990", f"swing from the {rail} rail", f"{r_load / 1e3:g} kΩ, ±{supply:g} V"]
    # full overdrive u = 3.35 V: i = kp*(u*drop - drop^2/2); the clamp brings 45u*tanh(1.54)
    kp, u = model_parameters("opa4990", "opa4990_source")["kp"], 3.35
    i = (supply - drop) / r_load - 41e-6
    assert_allclose(drop, u - np.sqrt(u**2 - 2 * i / kp), rtol=0.02)


def test_a_slewed_step_does_not_overshoot(waveforms):
    assert abs(waveforms("opa4990_slew_rate")["v(out)"]).max() < 5 * 1.01  # V, 60 deg


def test_low_frequency_noise_is_that_of_two_diodes(model):
    # 27.5n*sqrt(250*ln(100) + 9.9)
    assert_allclose(model["opa4990", "noise, rms", "0.1 to 10 Hz"], 0.94e-6, rtol=0.03)  # V


def test_pin_currents_sum_to_zero_outside_a_loop(run):
    assert opa4990.imbalance(run[1]["opa4990_current_balance"], ("shorted",)) < 1e-13  # A of 80 mA


# switch, by hand


@pytest.mark.parametrize("throw", ["a", "b"])
def test_on_resistance_has_its_shape(run, throw):
    volts, ohms = tmux1134.resistance(run[1][f"tmux1134_on_resistance_{throw}"], throw)
    v_d = volts + 0.02
    assert_allclose(ohms, 2 + 0.986 * v_d**2 / (1 + v_d**2), rtol=0.005)


def test_the_other_throw_is_off(waveforms):
    w = waveforms("tmux1134_thresholds")
    assert abs(w["i(v_b)"][-1]) < 1e-12 > abs(w["i(v_a)"][0])  # A at 20 mV
    assert np.all((np.abs(w["i(v_a)"]) < 1e-9) | (np.abs(w["i(v_b)"]) < 1e-9))  # never both


@pytest.mark.parametrize(("edge", "v_open", "v_close"), [("rises", 0.93 / 2.5, 1.43 / 2.5),
                                                         ("falls", 1 - 1.43 / 2.5, 1 - 0.93 / 2.5)])
def test_gate_breaks_before_it_makes(run, edge, v_open, v_close):
    opened, made = tmux1134.opening_and_closing(run[1][f"tmux1134_transition_{edge}"])
    # the gate is 14 ns behind sel; 55 pF at d recharge through a throw that is still closing, some 20 ohm: 1 ns
    assert_allclose(opened, -14e-9 * np.log(1 - v_open), atol=1.5e-9)
    assert_allclose(made, -14e-9 * np.log(1 - v_close), atol=1.5e-9)


# diode, memristor: the headers' figures


@pytest.mark.parametrize(("current", "volts"), [("10 µA", 0.378), ("1 mA", 0.597)])
@pytest.mark.parametrize("letter", ["A", "B"])
def test_diode_sets_differ_by_less_than_30_mv(model, letter, current, volts):
    assert_allclose(model["d1n4148", f"forward voltage, set {letter}", f"{current}, 27 °C"], volts, atol=0.015)


@pytest.mark.parametrize(("kappa", "excess"), [(1, 0.67), (2, 2.7)])
def test_sinh_excess(model, kappa, excess):
    assert_allclose(model["memristor", "read current over g·v, sinh", f"κ = {kappa} /V, +0.2 V"], excess, rtol=0.02)  # %
