"""Stimuli: one object, one waveform, whoever asks for it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import signal
from scipy.integrate import quad

from circuits.engine.job import Job
from circuits.engine.run import run
from training.errors import StimulusError
from training.stimuli import STIMULI, ModulatedSine, Rectangular, Sine, Triangular

A, B, T = 0.091, 0.0485, 0.1  # model units, model units, s: the published waveforms
FORMULAS = {  # written down independently of the code
    "sine": lambda t: B + A * np.sin(2 * np.pi * t / T),
    "triangular": lambda t: B + A * signal.sawtooth(2 * np.pi * t / T + np.pi / 2, width=0.5),
    "rectangular": lambda t: B + A * signal.square(2 * np.pi * t / T),
    "modulated_sine": lambda t: B - A * np.sin(2 * np.pi * t / T) * np.cos(4 * np.pi * t / T),
}
TIMES = np.linspace(0.0, 0.4997, 1234)  # s, no multiple of a quarter period but 0
ODD = {"amplitude": 0.3, "bias": -0.2, "period": 0.07}
every = pytest.mark.parametrize("name", STIMULI)


def away_from_edges(t, edge=1e-4):
    """Times at which the rectangle is not on an edge, which scipy's square has none of."""
    phase = np.mod(t, T / 2)
    return (phase > edge) & (phase < T / 2 - edge)


def test_the_four_published_ones_are_there():
    assert list(STIMULI) == ["sine", "triangular", "rectangular", "modulated_sine"]
    for stimulus in STIMULI.values():
        assert (stimulus.amplitude, stimulus.bias, stimulus.period) == (A, B, T)


@every
def test_is_the_published_formula(name):
    t = TIMES[away_from_edges(TIMES)]
    # atol: rounding of a phase of up to 31 rad, model units
    np.testing.assert_allclose(STIMULI[name](t), FORMULAS[name](t), rtol=0, atol=1e-14)


@every
def test_tensor_array_and_float_agree(name):
    s = STIMULI[name]
    array = s(TIMES)
    tensor = s(torch.from_numpy(TIMES))
    assert isinstance(array, np.ndarray)
    assert tensor.dtype == torch.float64
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert [s(float(t)) for t in TIMES[:50]] == list(array[:50])
    assert isinstance(s(0.01), float)
    assert s(TIMES.reshape(2, -1)).shape == (2, 617)
    assert s(torch.tensor(0.02, dtype=torch.float32)).dtype == torch.float64


@every
def test_rests_at_its_first_value_before_time_zero(name):
    assert STIMULI[name](-3.0) == STIMULI[name](0.0)


def test_rectangle_starts_high_and_crosses_the_bias_in_the_middle_of_its_edge():
    s = STIMULI["rectangular"]
    assert s(0.0) == pytest.approx(B + A)
    for middle in (0.05, 0.1, 0.15):
        assert s(middle) == pytest.approx(B, abs=1e-12)  # model units, rounding over an edge of 2 A in 0.1 ms
    # a quarter of an edge early: half of the way from the middle to the top
    assert s(0.05 - 0.25e-4) == pytest.approx(B + A / 2)


@every
@pytest.mark.parametrize("change", [{}, ODD], ids=["published", "other"])
def test_integral_is_exact(name, change):
    s = type(STIMULI[name])(**change)
    for end in (0.0, 0.013, 0.1, 0.26):
        points = [b for b in s.breakpoints(end) if b < end] if end else []
        area, error = quad(s, 0.0, end, points=points or None, limit=200, epsabs=1e-12, epsrel=1e-12)
        assert error < 1e-10
        assert s.integral(np.array([end]))[0] == pytest.approx(area, abs=1e-10)  # model units * s; quad is sure of it
    np.testing.assert_allclose(s.integral(TIMES[:7]), [s.integral(TIMES[k : k + 1])[0] for k in range(7)], rtol=1e-14)


def test_breakpoints_are_the_corners():
    assert len(STIMULI["sine"].breakpoints(0.5)) == len(STIMULI["modulated_sine"].breakpoints(0.5)) == 0
    np.testing.assert_allclose(STIMULI["triangular"].breakpoints(0.2), [0.025, 0.075, 0.125, 0.175], rtol=1e-12)
    # edges of 0.1 ms around 50 ms, 100 ms, 150 ms
    np.testing.assert_allclose(STIMULI["rectangular"].breakpoints(0.16),
                               [0.04995, 0.05005, 0.09995, 0.10005, 0.14995, 0.15005], rtol=1e-12)
    assert len(STIMULI["triangular"].breakpoints(0.02)) == 0


@pytest.mark.parametrize("name", ["triangular", "rectangular"])
@pytest.mark.parametrize("change", [{}, ODD], ids=["published", "other"])
def test_between_breakpoints_nothing_bends(name, change):
    s = type(STIMULI[name])(**change)
    knots = [0.0, *s.breakpoints(0.3), 0.3]
    for left, right in pairwise(knots):
        ends, middle = s(np.array([left, right])), s(0.5 * (left + right))
        assert middle == pytest.approx(ends.mean(), abs=1e-12)  # model units: a straight line


@every
@pytest.mark.parametrize(("change", "delay"), [({}, 0.0), ({}, 5e-3), (ODD, 0.011)])
def test_ngspice_generates_the_same_waveform(name, change, delay, tmp_path):
    s, volts, stop = type(STIMULI[name])(**change), 1.14, 0.23
    sources = s.spice_sources(volts, delay, stop)
    nodes = ["n0", *(f"n{k}" for k in range(1, len(sources))), "0"]
    (tmp_path / "s.cir").write_text("\n".join([
        "stimulus", *(f"v{k} {nodes[k]} {nodes[k + 1]} {source}" for k, source in enumerate(sources)), "r1 n0 0 1k",
        ".options klu", f".tran 1e-4 {delay + stop} 0 1e-4", ".save v(n0)", ".end", ""]))
    waves = run(Job(deck=tmp_path / "s.cir", max_voltage=1.0)).waveforms
    expected = volts * s(waves.time - delay)
    # V. Both are exact formulas at the same points: 1e-9 V, 5e-9 of full scale, is room for the raw file's rounding of a
    # phase and of a PWL slope only
    np.testing.assert_allclose(waves["v(n0)"], expected, rtol=0, atol=1e-9)
    assert waves.time[-1] == pytest.approx(delay + stop)
    assert np.ptp(waves["v(n0)"]) > 1.9 * volts * s.amplitude * (0.7 if name == "modulated_sine" else 1.0)


@pytest.mark.parametrize("kind", [Sine, Triangular, Rectangular, ModulatedSine])
@pytest.mark.parametrize("bad", [{"period": 0.0}, {"period": -1.0}, {"period": np.inf}, {"period": np.nan},
                                 {"amplitude": np.nan}, {"bias": np.inf}])
def test_refuses_parameters_without_a_waveform(kind, bad):
    with pytest.raises(StimulusError, match=f"{kind.name}: .*{next(iter(bad))}"):
        kind(**bad)


@pytest.mark.parametrize("edge", [0.0, -1e-4, 0.05, np.nan])
def test_refuses_an_edge_that_does_not_fit_half_a_period(edge):
    with pytest.raises(StimulusError, match="half the period, 0.05 s"):
        Rectangular(edge=edge)
