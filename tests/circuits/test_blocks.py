"""Every block alone, through the engine, against its hand-derived answer."""

import numpy as np
import pytest

from circuits.array.conductances import read_conductances
from circuits.array.network import port_conductance
from circuits.array.select_transistor import SelectTransistor
from circuits.array.wires import Wires
from circuits.benches.blocks import BENCHES, R_F, R_LOAD, block_bench
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import CircuitError
from circuits.netlist.deck import write_files
from circuits.netlist.render import render_block
from circuits.parts import model_parameters
from circuits.stages.clamp import CLAMP_ONSET
from circuits.stages.ivp_integrator import ivp_integrator
from circuits.stages.relu_tia import leakage

DIODE = model_parameters("d1n4148", "d1n4148")
V_T = 1.380649e-23 * 300.15 / 1.602176634e-19  # V, at ngspice's 27 degrees


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Waveforms of a block's bench, simulated once."""
    folder, done = tmp_path_factory.mktemp("blocks"), {}

    def get(name):
        if name not in done:
            deck = block_bench(name)
            write_files(folder, deck.files())
            done[name] = run(Job(deck=folder / f"{deck.name}.cir"))
        return done[name]

    get.folder = folder
    return get


def test_cell_is_memristor_plus_transistor_plus_two_segments(simulated):
    w = simulated("cell_1t1r").waveforms
    resistance = 1 / 100e-6 + SelectTransistor().on_resistance() + 2 * Wires().resistance
    # atol 1 nA: the transistor's resistance changes with its own 3 mV, 1.3e-5 of 20 uA, and ngspice's reltol is 1e-3 of that
    np.testing.assert_allclose(w["i(v_sl)"], w.scale / resistance, rtol=0, atol=1e-9)


def test_on_resistance_is_what_ngspice_has(simulated):
    w = simulated("cell_1t1r").waveforms
    small = np.argmin(np.abs(w.scale - 0.01))
    measured = w.scale[small] / w["i(v_sl)"][small] - 1e4 - 2 * Wires().resistance
    assert measured == pytest.approx(SelectTransistor().on_resistance(), rel=3e-3)


def test_array_is_its_port_conductance_row_for_row(simulated):
    w = simulated("array_32x32").waveforms
    g = read_conductances(simulated.folder / "conductances" / "bench.inc")
    y = port_conductance(g, selected=np.arange(32) < 8, wires=Wires(), r_on=SelectTransistor().on_resistance())
    expected = 0.2 * y[:8, 0] - 0.1 * y[:8, 1]
    got = np.array([w[f"i(v_sl{k})"][-1] for k in range(8)])
    assert np.ptp(expected) > 5e-6  # rows differ, so a transposed array would be seen
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_clamp_follows_then_limits(simulated):
    w = simulated("clamp").waveforms
    drive, line = w.scale, w["v(line)"]
    # By hand: (drive - line) / 1 kohm = IS (exp((line - RS i) / (N V_T)) - 1) forward, and IS backward in the other diode.
    current = np.abs(drive - line) / 1e3
    forward = DIODE["is"] * np.expm1((np.abs(line) - DIODE["rs"] * current) / (DIODE["n"] * V_T))
    backward = -DIODE["is"] * np.expm1(-np.abs(line) / (DIODE["n"] * V_T))
    np.testing.assert_allclose(current, forward + backward, rtol=5e-3, atol=1e-10)
    np.testing.assert_allclose(line, -line[::-1], rtol=0, atol=1e-5)  # Newton stops at 1e-3 of an update
    assert 0.5 < line.max() < 0.65
    at_onset = np.interp(CLAMP_ONSET, line, drive)
    assert at_onset - CLAMP_ONSET == pytest.approx(1e3 * DIODE["is"] * np.exp(CLAMP_ONSET / (DIODE["n"] * V_T)), rel=0.02)


@pytest.mark.parametrize(("name", "source", "out", "gain"), [
    ("follower", "v(vin)", "v(line)", 1.0),
    ("inverter", "v(vin)", "v(out)", -1.0),
    ("tia", None, "v(out)", -R_F),
    ("clamped_tia", None, "v(line)", -R_F),
])
def test_linear_stages(simulated, name, source, out, gain):
    w = simulated(name).waveforms
    drive = w.scale if source is None else w[source]
    expected = gain * drive
    inside = np.abs(expected) <= 0.25
    assert inside.sum() > 20
    # atol 5 uV: input offset from finite gain (130 dB) times noise gain 11, and 10 pA of bias in 10 kohm
    np.testing.assert_allclose(w[out][inside], expected[inside], rtol=0, atol=5e-6)


@pytest.mark.parametrize("name", ["follower", "clamped_tia", "relu_tia", "rectifier"])
def test_clamped_stages_limit(simulated, name):
    line = np.abs(simulated(name).waveforms["v(line)"])
    assert 0.5 < line.max() < 0.7


def test_relu_is_half_wave_and_leaks_what_the_diode_leaks(simulated):
    w = simulated("relu_tia").waveforms
    current, line = w.scale, w["v(line)"]
    on = (current >= 1e-6) & (current <= 25e-6)
    np.testing.assert_allclose(line[on], -R_F * (current[on] - leakage()), rtol=0, atol=5e-6)
    # Off: the other diode's leakage in what the line is loaded with, 1 kohm beside 10 kohm
    off = current <= -1e-6
    assert np.abs(line[off]).max() < leakage() * R_LOAD * 2
    np.testing.assert_allclose(w["v(sl)"][on | off], 0, rtol=0, atol=2e-6)


def test_rectifier_is_half_wave_and_leaks_what_the_diode_leaks(simulated):
    w = simulated("rectifier").waveforms
    vin, line = w.scale, w["v(line)"]
    on = (vin <= -0.02) & (vin >= -0.25)
    # V: the blocking diode's 2.5 nA in 10 kohm; atol: finite gain, 130 dB at a noise gain of 2, and the bias current
    np.testing.assert_allclose(line[on], -vin[on] - leakage() * 10e3, rtol=0, atol=3e-6)
    assert np.abs(line[vin >= 0.02]).max() < leakage() * R_LOAD * 2


def test_lead_capacitor_takes_a_lag_out_of_the_derivative(tmp_path):
    # A ramp of 20 V/s into 1 Mohm and 100 pF: the integrator sees it 100 us ahead, so its output leads by 100 us.
    deck = block_bench("ivp_integrator")
    text = deck.render().replace("v_in vin 0 dc -0.2", "v_in vin 0 pwl(0 0 0.005 0 0.015 -0.2)")
    assert "pwl(0 0 0.005" in text
    out = {}
    for lead in (False, True):
        block = ivp_integrator(lead=lead)
        files = dict(deck.files())
        files |= {"blocks/ivp_integrator.inc": render_block(block),
                  "ivp_integrator.cir": text.replace("r_in=", f"{'c_lead=1e-10 ' if lead else ''}r_in=").replace(
                      ".tran 0.0001 0.105 0 0.0001", ".tran 1e-5 0.015 0 1e-5").replace(".tran 1e-4 0.105 0 1e-4",
                                                                                       ".tran 1e-5 0.015 0 1e-5")}
        files["ivp_integrator.cir"] = "\n".join(
            line for line in files["ivp_integrator.cir"].splitlines() if not line.startswith(".meas")) + "\n"
        write_files(tmp_path / str(lead), files)
        w = run(Job(deck=tmp_path / str(lead) / "ivp_integrator.cir")).waveforms
        out[lead] = w.resample("v(line)", np.array([0.0149]))[0]
    # x gains c_lead / c_int * v(vin): 1e-10 / 1e-6 * 0.198 V = 19.8 uV
    assert out[True] - out[False] == pytest.approx(19.8e-6, abs=1e-6)


def test_integrator_pre_charges_then_ramps(simulated):
    result = simulated("ivp_integrator")
    w = result.waveforms
    assert w.resample("v(line)", np.array([0.0049]))[0] == pytest.approx(0.1, abs=2e-6)
    times = np.linspace(0.006, 0.105, 50)
    # 0.2 V over 1 Mohm and 1 uF: 0.2 V/s; atol: 10 pA of bias gives 1 uV in 0.1 s, charge injection 2 pC on 1 uF 2 uV
    expected = 0.1 + 0.2 * (times - 0.005)
    np.testing.assert_allclose(w.resample("v(line)", times), expected, rtol=0, atol=8e-6)


def test_integrator_is_isolated_while_it_pre_charges(simulated):
    w = simulated("ivp_integrator").waveforms
    before = w.time < 0.0009
    assert np.abs(w["v(line)"][before]).max() < 1e-5  # 0.2 V at vin has moved nothing


@pytest.mark.parametrize("name", list(BENCHES))
def test_measures_meet_their_expectation(simulated, name):
    deck, result = block_bench(name), simulated(name)
    assert set(result.measures) == {m.name for m in deck.measures}
    for m in deck.measures:
        assert result.measure(m.name) == pytest.approx(m.expect, rel=5e-4)


def test_an_unknown_block_is_named():
    with pytest.raises(CircuitError, match="no bench for a block named 'adc'; there are cell_1t1r"):
        block_bench("adc")
