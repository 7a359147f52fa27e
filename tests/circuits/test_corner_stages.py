"""Stages at the corners: a block's answer moves by what a hand calculation says."""

from math import exp

import numpy as np
import pytest

from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.benches.blocks import R_F, R_LOAD, block_bench
from circuits.corners.corner import CORNERS
from circuits.corners.transistor import transistor_at
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import write_files
from circuits.parts import model_parameters

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19  # J/K, C
T_NOM = 300.15  # K
NOISE_GAIN = 1 + R_F / R_LOAD  # of the TIA benches: 1 kohm stands at the summing node


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    """Result of a block's bench at a corner, simulated once."""
    done = {}

    def get(block, name):
        if (block, name) not in done:
            folder = tmp_path_factory.mktemp(f"{block}_{name}")
            write_files(folder, block_bench(block, (CORNERS | ABLATIONS)[name]).files())
            done[block, name] = run(Job(deck=folder / f"{block}.cir"))
        return done[block, name]

    return get


ABLATIONS = {one.name: one for one in CORNERS["hot"].without().values()}


def line(at, block, name, current):
    w = at(block, name).waveforms
    return np.interp(current, w.scale, w["v(line)"])


@pytest.mark.parametrize("name", ["cold", "hot", "low_supply", "high_supply", "offset_high", "offset_low", "diode_b"])
@pytest.mark.parametrize("current", [-20e-6, 20e-6])
def test_clamped_tia_shifts_by_its_offset_alone(at, name, current):
    # the summing node sits at vos, and vos / 1 kohm more flows through r_f; the clamp is inside the loop, so neither its
    # diodes nor their temperature show, and nor do the supplies (0.7 uV/V). atol: 2 uV
    shift = line(at, "clamped_tia", name, current) - line(at, "clamped_tia", "nominal", current)
    assert shift == pytest.approx(NOISE_GAIN * CORNERS[name].vos, abs=2e-6)


def saturation_current(name, kelvin=T_NOM):
    """1N4148 [A], IS(T) = IS (T/T0)^(xti/n) exp((T/T0 - 1) eg / (n V_T)), SPICE defaults xti 3 and eg 1.11 V."""
    p = model_parameters("d1n4148", name)
    v_t = BOLTZMANN * kelvin / CHARGE
    return p["is"] * (kelvin / T_NOM) ** (3 / p["n"]) * exp((kelvin / T_NOM - 1) * 1.11 / (p["n"] * v_t))


@pytest.mark.parametrize(("name", "leak"), [
    ("diode_b", saturation_current("d1n4148_b")),
    ("hot", saturation_current("d1n4148", 358.15)),  # 180 nA: 1.8 mV, seventy times what the compiler took out
    ("cold", saturation_current("d1n4148", 233.15)),
    ("hot_without_offset", saturation_current("d1n4148", 358.15)),
    ("hot_without_diode_leakage", saturation_current("d1n4148")),
    ("offset_high", saturation_current("d1n4148")),
    ("offset_low", saturation_current("d1n4148")),
    ("low_supply", saturation_current("d1n4148")),
    ("high_supply", saturation_current("d1n4148")),
])
def test_relu_shifts_by_leakage_and_offset(at, name, leak):
    # conducting: the blocking diode takes its saturation current from the summing node, which sits at vos
    shift = line(at, "relu_tia", name, 20e-6) - line(at, "relu_tia", "nominal", 20e-6)
    expected = R_F * (leak - saturation_current("d1n4148")) + NOISE_GAIN * (CORNERS | ABLATIONS)[name].vos
    assert shift == pytest.approx(expected, rel=0.01, abs=2e-6)


@pytest.mark.parametrize("name", ["diode_b"])
def test_clamp_has_the_other_diodes(at, name):
    w, p = at("clamp", name).waveforms, model_parameters("d1n4148", "d1n4148_b")
    drive, volts = w.scale, np.abs(w["v(line)"])
    v_t = BOLTZMANN * T_NOM / CHARGE
    # (drive - line) / 1 kohm = IS (exp((line - RS i) / (N V_T)) - 1) forward, and IS backward in the other diode
    current = np.abs(drive - w["v(line)"]) / 1e3
    forward = p["is"] * np.expm1((volts - p["rs"] * current) / (p["n"] * v_t))
    backward = -p["is"] * np.expm1(-volts / (p["n"] * v_t))
    np.testing.assert_allclose(current, forward + backward, rtol=5e-3, atol=1e-10)


def on_resistance(name):
    return transistor_at(CORNERS[name], SelectTransistor()).on_resistance()


@pytest.mark.parametrize("name", ["nominal", "cold", "hot", "low_supply", "high_supply", "slow_transistor", "fast_transistor",
                                  "wires_x2"])
def test_cell_current_at_a_corner(at, name):
    corner, w = CORNERS[name], at("cell_1t1r", name).waveforms
    resistance = 1e4 + on_resistance(name) + 2 * corner.wire_factor * Wires().resistance
    # atol 1 nA, as at the nominal corner (test_blocks.py); the corners move the current by 3 nA (wires) to 60 nA (85 degC)
    np.testing.assert_allclose(w["i(v_sl)"], w.scale / resistance, rtol=0, atol=1.5e-9)


def test_corners_of_the_cell_are_told_apart():
    names = ("cold", "fast_transistor", "high_supply", "nominal", "low_supply", "slow_transistor", "hot")
    resistances = [on_resistance(name) for name in names]
    assert resistances == sorted(resistances)
    assert on_resistance("nominal") == pytest.approx(SelectTransistor().on_resistance(), rel=1e-12)


def test_the_cell_is_nominal_where_its_temperature_is_taken_out(at):
    w = at("cell_1t1r", "hot_without_select_transistors").waveforms
    np.testing.assert_allclose(w["i(v_sl)"], at("cell_1t1r", "nominal").waveforms["i(v_sl)"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["low_supply", "high_supply", "offset_high", "offset_low"])
def test_integrator_at_a_corner(at, name):
    result, vos = at("ivp_integrator", name), CORNERS[name].vos
    # the buffer adds vos; when S3 leaves ground for the summing node at vos, the capacitor lifts the output by vos more;
    # then (v(vin) - vos) / r_in integrates. atol as in test_blocks.py: bias current and injected charge
    assert result.measure("v_charged") == pytest.approx(0.1 + vos, abs=5e-6)
    assert result.measure("v_end") == pytest.approx(0.1 + 2 * vos + (0.2 + vos) * 0.1, abs=8e-6)
