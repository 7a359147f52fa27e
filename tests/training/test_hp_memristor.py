"""The HP memristor: two solutions that share no code path, published constants, physics."""

import numpy as np
import pytest

from training.errors import PhysicsError
from training.stimuli import STIMULI, Sine
from training.systems.hp_memristor import DRIVES, CurrentDriven, VoltageDriven

drives = pytest.mark.parametrize("drive", DRIVES)
stimuli = pytest.mark.parametrize("stimulus", STIMULI.values(), ids=STIMULI)


@pytest.fixture(scope="module")
def runs():
    """(drive, stimulus) -> trajectory on the published grid, integrated."""
    return {(drive, name): system.solve(s) for drive, system in DRIVES.items() for name, s in STIMULI.items()}


@drives
@stimuli
def test_integration_agrees_with_the_closed_form(runs, drive, stimulus):
    system, run = DRIVES[drive], runs[drive, stimulus.name]
    # atol: model units; the integrator's rtol of 1e-11 over some 500 steps of a state of at most 0.5
    np.testing.assert_allclose(run.state[:, 0], system.closed_form(stimulus, run.time), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(run.stimulus, stimulus(run.time))
    assert run.state.shape == (500, 1)


def test_published_constants_of_the_current_drive():
    system = DRIVES["current"]
    assert system.kappa * system.unit == pytest.approx(10.0)  # /s per model unit, mu_v R_on / D^2 at 1 mA
    assert system.width(system.initial_state())[0] == pytest.approx(0.01)
    assert (system.r_on, system.r_off) == (100.0, 16e3)
    grid = system.grid()
    assert (len(grid), grid[0], grid[-1]) == (500, 0.0, 0.5)
    # one period of the sine adds 10 * 0.0485 * 0.1 to w/D, whatever its amplitude
    run = system.solve(STIMULI["sine"], np.array([0.0, 0.1, 0.2, 0.5]))
    np.testing.assert_allclose(system.width(run.state[:, 0]), 0.01 + 0.0485 * np.array([0, 1, 2, 5]), rtol=0, atol=1e-10)


@drives
def test_the_sine_run_peaks_at_half(drive):
    t = np.linspace(0.0, 0.5, 20_001)  # 25 us apart: a parabola's top is missed by less than 1e-6
    y = DRIVES[drive].closed_form(STIMULI["sine"], t)
    assert y.max() == pytest.approx(0.5, abs=1e-6)


def test_one_normalisation_for_all_stimuli(runs):
    tops = {name: runs["current", name].state.max() for name in STIMULI}
    assert tops["sine"] == pytest.approx(0.5, abs=1e-4)  # sampled
    assert len({round(top, 3) for top in tops.values()}) > 1


def test_voltage_drive_sweeps_a_tenth_to_nine_tenths(runs):
    x = DRIVES["voltage"].width(runs["voltage", "sine"].state[:, 0])
    assert x[0] == x.max() == pytest.approx(0.9)
    assert x.min() == pytest.approx(0.1, abs=0.01)


def test_voltage_drive_obeys_its_differential_equation():
    """dx/dt = -kappa v / M(x), checked by differences of the solution."""
    system, sine = DRIVES["voltage"], STIMULI["sine"]
    t = np.linspace(0.02, 0.48, 24)
    h = 1e-5  # s; the third derivative, 4e4 /s^3 at most, leaves 1e-6 /s
    x = system.width(system.closed_form(sine, np.array([t - h, t, t + h])))
    v = 25.8 * sine(t)
    expected = -1e4 * v / (100.0 * x[1] + 16e3 * (1 - x[1]))
    np.testing.assert_allclose((x[2] - x[0]) / (2 * h), expected, rtol=1e-5, atol=1e-5)  # /s


def test_memristance():
    system = DRIVES["current"]
    assert system.memristance(0.0) == 16e3
    assert system.memristance(1.0) == 100.0
    assert system.memristance(0.25) == pytest.approx(0.25 * 100 + 0.75 * 16e3)


@drives
@stimuli
def test_hysteresis_is_pinched(runs, drive, stimulus):
    """v = 0 where i = 0 and nowhere else, and v/i is the memristance of the state."""
    system, run = DRIVES[drive], runs[drive, stimulus.name]
    y = run.state[:, 0]
    i, v = system.current(run.stimulus, y), system.voltage(run.stimulus, y)
    np.testing.assert_array_equal(np.sign(v), np.sign(i))
    assert system.voltage(0.0, 0.3) == system.current(0.0, 0.3) == 0.0
    some = np.abs(i) > 1e-3 * np.abs(i).max()
    np.testing.assert_allclose(v[some] / i[some], system.memristance(system.width(y[some])), rtol=1e-12)
    assert (np.sign(i) != np.sign(i[0])).any()  # the loop does pass through the origin


def test_voltage_drive_takes_the_stimulus_as_its_voltage():
    system = DRIVES["voltage"]
    assert system.voltage(0.1, 0.3) == pytest.approx(2.58)  # V, 25.8 V a model unit


def test_a_state_that_leaves_the_device_is_refused_with_its_time():
    # x = 0.01 + 10 * 0.5 t reaches 1 at t = 0.198 s
    with pytest.raises(PhysicsError, match=r"hp_memristor_current, sine: w/D = 1\.\d+ at t = 0\.1(98|99)\d* s.*lower the amp"):
        DRIVES["current"].solve(Sine(amplitude=0.0, bias=0.5))
    with pytest.raises(PhysicsError, match=r"w/D = -2\.0\d*e-05 at t = 0\.01002 s"):
        DRIVES["current"].solve(Sine(amplitude=0.0, bias=-0.1))


def test_the_closed_form_is_not_a_number_outside_the_device():
    y = DRIVES["current"].closed_form(Sine(amplitude=0.0, bias=0.5), np.array([0.1, 0.3]))
    assert np.isfinite(y[0])
    assert np.isnan(y[1])


@pytest.mark.parametrize(("bad", "says"), [({"r_on": 0.0}, "R_on = 0.0"), ({"r_off": 50.0}, "R_off = 50.0"),
                                           ({"x0": 0.0}, "x0 = 0.0"), ({"x0": 1.0}, "x0 = 1.0"), ({"x_max": 1.5}, "1.5")])
def test_refuses_parameters_outside_the_model(bad, says):
    for kind in (CurrentDriven, VoltageDriven):
        with pytest.raises(PhysicsError, match=says):
            kind(**bad)
