"""The decks of the dynamic nodes against their physics: time constants, limits, noise, and the branch that noise decides."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from circuits.benches.blocks import block_bench
from circuits.dynamic import bistable_node, leaky_integrator, memristor_node
from circuits.dynamic.catalogue import find_device
from circuits.dynamic.device import DeviceError
from circuits.dynamic.limiter import knee, limited
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import write_files
from circuits.netlist.solver import Solver
from circuits.parts import model_parameters

V_T = 1.380649e-23 * 300.15 / 1.602176634e-19  # V
NODES = ("leaky_integrator", "memristor_node", "bistable_node")


def generators(runs, seed=3):
    return [np.random.default_rng([seed, k]) for k in range(runs)]


@pytest.mark.parametrize("name", NODES)
def test_bench_gives_what_its_measures_expect(tmp_path, name):
    deck = block_bench(name)
    write_files(tmp_path, deck.files())
    result = run(Job(deck=tmp_path / f"{name}.cir"))
    for measure in deck.measures:
        assert result.measure(measure.name) == pytest.approx(measure.expect, rel=5e-4), measure.name


def test_limiter_solves_its_diodes():
    diode = model_parameters("d1n4148", "d1n4148")
    for source in (-1.0, 0.05, 0.4, 1.0):
        v = limited(source, 10e3, 274e3)
        assert abs(v) < abs(source)
        current = 2 * diode["is"] * np.sinh(v / (diode["n"] * V_T)) + v / 274e3
        assert current == pytest.approx((source - v) / 10e3, rel=1e-6)
    assert limited(0.0, 10e3, 274e3) == 0.0


def test_knee_of_the_leaky_integrator():
    device = find_device("leaky_integrator")
    at, inside = knee(leaky_integrator.R_LIM, leaky_integrator.R_IN)
    # by hand: n v_t = 45.3 mV, arcosh(45.3e-3 * 103.6e-6 / 5.04e-9) = 7.53, so 0.341 V, and 47 uA of 10 kohm above it
    assert inside == pytest.approx(0.341, abs=1e-3)
    assert at == pytest.approx(0.341 * (1 + 10 / 274) + 0.047, abs=2e-3)
    levels = np.array([0.02, -0.02, at - 0.01, at + 0.01])
    out = device.respond(np.repeat(levels, 36).reshape(4, 36, 1))[:, -1, 0]
    slope_small, slope_knee = (out[0] - out[1]) / 0.04, (out[3] - out[2]) / 0.02
    assert slope_knee / slope_small == pytest.approx(0.5, abs=0.01)


def deviation_of(name, level, runs=40, steps=80):
    """Observables (runs, steps) under a constant input, after 24 steps of it."""
    device = find_device(name)
    inputs = np.full((runs, steps + 24, 1), level)
    return device.respond(inputs, device.draw(steps + 24, generators(runs)))[:, 25:, 0]


@pytest.mark.parametrize(("name", "level", "signal_gain"), [
    ("leaky_integrator", 0.0, 1.0),
    ("leaky_integrator", -1.0, np.hypot(1, 0.1647 / leaky_integrator.CORNER)),  # at 0.1647 V out
    ("memristor_node", 0.0, 1.0),
])
def test_noise_of_a_linear_node(name, level, signal_gain):
    """Deviation and autocorrelation behind a low-pass of 10 ms: sqrt(5 / 15) of the noise's own, and two exponentials."""
    noise = find_device(name).noise
    x = deviation_of(name, level)
    f = np.linspace(0, 30 / noise.correlation_time, 30_001)
    power = noise.deviation**2 * noise.spectrum(f) / (1 + (2 * np.pi * f * 10e-3) ** 2)
    expected = np.sqrt(np.trapezoid(power, f))
    assert expected == pytest.approx(noise.deviation * np.sqrt(1 / 3), rel=5e-3)
    centred = x - x.mean()
    # 40 runs of 20 time constants hold some 400 independent values: 3.5 % of a deviation, three of them
    assert x.std() == pytest.approx(expected * signal_gain, rel=0.11)
    step = 2.5e-3
    for lag in (1, 4):
        got = np.mean(centred[:, lag:] * centred[:, :-lag]) / np.mean(centred**2)
        t = lag * step
        assert got == pytest.approx((np.exp(-t / 10e-3) - 0.5 * np.exp(-t / 5e-3)) / 0.5, abs=0.08)


@pytest.mark.parametrize("name", NODES)
def test_noise_does_not_depend_on_the_step(name):
    """The same draws at half the solver's step and at half the step of the recording give the same waveforms."""
    device = find_device(name)
    inputs = np.random.default_rng(1).uniform(-1, 1, (4, 12, 1))
    noise = device.draw(12, generators(4))
    usual = device.respond(inputs, noise)
    finer = replace(device, solver=Solver(trtol=1.0), largest_step=device.noise.grid / 2)
    assert_allclose(finer.respond(inputs, noise), usual, atol=20e-6)  # V; the noise is some millivolts
    halved = replace(device, step_time=device.step_time / 2)
    twice = halved.respond(np.repeat(inputs, 2, axis=1), halved.draw(24, generators(4)))
    # the edges of the inputs are half as long, which is 1 us earlier and 0.04 mV where the output moves by 0.03 V/ms
    assert_allclose(twice[:, ::2], usual, atol=60e-6)
    assert np.abs(usual - device.respond(inputs)).max() > 2e-3


def branch_by_euler(kick, runs=3000, dt=50e-6):
    """Part of runs that change to the upper branch, by Euler-Maruyama of circuit and noise; input steps as below."""
    d = model_parameters("d1n4148", "d1n4148")
    width = d["n"] * V_T
    node = np.linspace(-0.7, 0.7, 20_001)  # V at the diodes; the drive in front of them is explicit in it
    drive = node + 10e3 * (node / 442e3 + 2 * d["is"] * np.sinh(node / width))
    draw = np.random.default_rng(8)
    a, v = draw.standard_normal(runs), np.zeros(runs)
    levels = np.repeat([1.0, kick, 0.0], [20, 6, 8])  # more of the pulse than the deck has, which starts settled
    for s in levels:
        for _ in range(round(2.5e-3 / dt)):
            back = 100e3 / 442e3 * np.interp(10 * v, drive, node)
            sigma = 8e-3 * np.sqrt(1 + (v / 0.1) ** 2)
            v = v + dt / 4.7e-3 * (-v + back - 100e3 / 1.3e6 * s + sigma * a)
            a = a - dt / 2.5e-3 * a + np.sqrt(2 * dt / 2.5e-3) * draw.standard_normal(runs)
    return np.mean(v > 0)


@pytest.mark.parametrize("kick", [-0.93])
def test_noise_decides_the_branch_as_in_an_independent_integration(kick):
    device = find_device("bistable_node")
    runs = 120
    inputs = np.repeat([1.0, kick, 0.0], [12, 6, 8]) * np.ones((runs, 1))
    upper = int(np.sum(device.respond(inputs[..., None], device.draw(26, generators(runs)))[:, -1, 0] > 0))
    p = branch_by_euler(kick)
    assert 0.1 < p < 0.9  # else nothing is decided
    low, high = binom.interval(0.999, runs, p)
    assert low <= upper <= high


def test_without_noise_the_threshold_decides():
    device = find_device("bistable_node")
    edge = bistable_node.threshold()
    inputs = np.repeat([[1.0, -0.97 * edge, 0.0], [1.0, -1.03 * edge, 0.0]], [10, 60, 20], axis=1)
    out = device.respond(inputs[..., None])[:, -1, 0]
    assert_allclose(out, [-bistable_node.rest(), bistable_node.rest()], rtol=2e-3)


def test_memristor_node_saturates_and_hastens():
    device = find_device("memristor_node")
    levels = np.array([-1.0, -0.3, 0.3, 1.0])
    out = device.respond(np.repeat(levels, 40).reshape(4, 40, 1))[:, -1, 0]
    assert_allclose(out, -memristor_node.span() * np.tanh(levels / 0.5), rtol=1e-3)
    assert memristor_node.span() == pytest.approx(0.19)


@pytest.mark.parametrize(("inputs", "message"), [
    (np.zeros((2, 3)), r"shape \(2, 3\); give \(runs, steps, 1\)"),
    (np.full((2, 3, 1), 1.2), r"is 1.2 V, outside \[-1, 1\] \(as are 5 more\)"),
    (np.full((1, 3, 1), np.nan), "is nan V"),
])
def test_a_device_refuses_inputs(inputs, message):
    with pytest.raises(DeviceError, match=message):
        find_device("leaky_integrator").respond(inputs)


def test_a_device_refuses_noise_that_does_not_fit():
    device = find_device("leaky_integrator")
    with pytest.raises(DeviceError, match=r"noise of shape \(2, 9\)"):
        device.respond(np.zeros((2, 3, 1)), device.draw(2, generators(2)))


def test_a_device_that_rails_is_told():
    device = find_device("leaky_integrator")
    with pytest.raises(DeviceError, match=r"run 0 is at .* its supply rail of 2.5 V"):
        device.respond(np.zeros((1, 8, 1)), 500 + device.draw(8, generators(1)))


def test_unknown_device_names_the_closest():
    with pytest.raises(DeviceError, match="closest: leaky_integrator"):
        find_device("leaky_integrater")


def test_many_runs_are_spread_over_decks_and_answer_in_order(monkeypatch):
    monkeypatch.setattr("circuits.dynamic.deck_device.COPIES", 3)
    device = find_device("leaky_integrator")
    inputs = np.random.default_rng(4).uniform(-1, 1, (2, 6, 1))
    states = device.run(inputs, repeats=4, seed=9)
    assert states.shape == (2, 4, 7, 1)
    for sequence, repeat in ((0, 0), (1, 2)):
        draws = device.draw(6, [np.random.default_rng([9, sequence, repeat])])
        # alone or among others: V, and the solver's steps are its own
        assert_allclose(states[sequence, repeat], device.respond(inputs[[sequence]], draws)[0], rtol=0, atol=20e-6)
    assert np.ptp(states[0, :, -1]) > 1e-3
