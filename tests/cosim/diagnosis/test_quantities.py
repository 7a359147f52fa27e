"""Each figure of a diagnosis on signals and systems whose answer is known beforehand."""

import numpy as np
import pytest
import torch
from torch import nn

from cosim.compiler.scaling import Scales
from cosim.diagnosis.amplification import amplification
from cosim.diagnosis.course import make_course
from cosim.diagnosis.horizon import horizon
from cosim.diagnosis.jacobian import jacobian
from cosim.diagnosis.propagation import Propagation
from cosim.diagnosis.time_shift import time_shift
from cosim.errors import ResultsError
from cosim.problem.case import Case
from cosim.problem.network import read_network
from training.stimuli import Sine

TIMES = np.linspace(0.0, 10.0, 2001)


def linear(matrix, bias=None):
    """d x/dt = matrix x, or matrix (u, x)."""
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=bias is not None).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(matrix))
    return nn.Sequential(layer)


def course(matrix, expected, twin=None, *, duration=10.0, stimuli=()):
    network = read_network(linear(matrix), None)
    case = Case(name="run", stimuli=stimuli, initial=tuple(expected[0]), duration=duration, samples=len(expected))
    n = network.n_states
    scales = Scales(inputs=(1.0,) * len(stimuli), states=(1.0,) * n, hidden=(), derivatives=(1.0,) * n, bias=0.2, time=1.0)
    return make_course(network, case, scales, expected, expected if twin is None else twin)


def test_an_error_that_grows_steadily_passes_where_it_must():
    # 0.5 % of full scale a second passes 2 % after 4 s
    found = horizon(TIMES, 0.005 * TIMES)
    assert found.passed
    assert found.time == pytest.approx(4.0, abs=1e-9)
    assert horizon(TIMES, -0.005 * TIMES).time == pytest.approx(4.0, abs=1e-9)


def test_a_horizon_that_the_run_does_not_reach_is_said_to_be_longer():
    found = horizon(TIMES, 0.001 * TIMES)
    assert (found.time, found.passed) == (10.0, False)


def test_what_is_not_a_number_is_not_valid():
    error = np.zeros_like(TIMES)
    error[600:] = np.nan
    found = horizon(TIMES, error)
    assert (found.time, found.passed) == (pytest.approx(3.0), True)
    assert horizon(TIMES, np.full_like(TIMES, 0.5)).time == 0.0


@pytest.mark.parametrize(("delay", "drift"), [(0.03, 0.0), (-0.2, 0.0), (0.0, 0.01), (0.1, -0.02), (0.5, 0.03)])
def test_a_shifted_sine_is_all_phase(delay, drift):
    got = np.sin(3 * (TIMES - delay - drift * TIMES))
    found = time_shift(TIMES, np.sin(3 * TIMES), got)
    assert found.phase > 0.999
    assert found.delay == pytest.approx(delay, abs=1e-3)
    assert found.drift == pytest.approx(drift, abs=3e-4)


@pytest.mark.parametrize("larger", [1.001, 1.1, 0.7])
def test_a_larger_sine_is_all_amplitude(larger):
    found = time_shift(TIMES, np.sin(3 * TIMES), larger * np.sin(3 * TIMES))
    assert found.amplitude > 0.99


def test_half_phase_half_amplitude():
    # a shift by 1e-2 rad and a gain of 1 % have the same power
    got = 1.01 * np.sin(3 * TIMES - 0.01)
    found = time_shift(TIMES, np.sin(3 * TIMES), got)
    assert found.phase == pytest.approx(0.5, abs=0.02)
    assert found.delay == pytest.approx(0.01 / 3, rel=0.05)


def test_a_decay_cannot_tell_the_two_apart():
    # exp(-(t - d)) is exp(d) exp(-t): a shift is a gain
    assert time_shift(TIMES, np.exp(-TIMES), 1.01 * np.exp(-TIMES)).phase is None


def test_what_does_not_move_has_no_phase():
    assert time_shift(TIMES, np.ones_like(TIMES), 1.01 * np.ones_like(TIMES)).amplitude == 1.0


def test_no_error_has_no_kind():
    assert time_shift(TIMES, np.sin(TIMES), np.sin(TIMES)).phase is None
    assert time_shift(TIMES, np.zeros_like(TIMES), np.zeros_like(TIMES)).phase is None


def test_the_jacobian_is_that_of_the_network():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 3)).double()
    network = read_network(net, ("x1", "u0", "x0", "x2"))  # an odd order
    rng = np.random.default_rng(0)
    inputs, states = rng.normal(size=(20, 1)), rng.normal(size=(20, 3))
    found = jacobian(network, inputs, states)
    assert found.shape == (20, 3, 3)
    h = 1e-7
    for k in range(3):
        change = (network.derivative(inputs, states + h * np.eye(3)[k]) - network.derivative(inputs, states)) / h
        np.testing.assert_allclose(found[:, :, k], change, rtol=1e-5, atol=1e-6)  # 1/s, rounding of the difference


def test_a_constant_mistake_in_a_leaky_state_settles():
    # e' = -2 e + 0.1 from 0.3: 0.05 + 0.25 exp(-2 t)
    lines = Propagation(np.full((2001, 1, 1), -2.0), TIMES[1])
    error = lines.carried(np.full((2001, 1, 1), 0.1), np.array([[0.3]]))
    np.testing.assert_allclose(error[:, 0, 0], 0.05 + 0.25 * np.exp(-2 * TIMES), atol=1e-5)  # trapezoidal rule, (2 h)^2
    assert lines.largest_growth() == (1.0, 0, 0)


def test_an_unstable_state_has_its_own_rate_as_exponent():
    # x' = 0.5 x: exponent 0.5 exactly, e-fold in 2 s, growth exp(5) = 148.4 within 10 s; it runs away, so along the case alone
    found = amplification(course(np.array([[0.5]]), 0.01 * np.exp(0.5 * TIMES)[:, None]))
    assert found.exponent == pytest.approx(0.5, rel=1e-4)
    assert not found.long_run
    assert found.amplifies
    assert found.e_fold == pytest.approx(2.0, rel=1e-4)
    assert found.growth == pytest.approx(np.exp(5), rel=1e-3)
    assert (found.growth_from, found.growth_until) == (0.0, 10.0)
    assert found.until(0.001, 0.02) == pytest.approx(2 * np.log(20), rel=1e-4)


def test_an_oscillator_does_not_amplify():
    # x' = A x with A antisymmetric: exponent 0, nothing ever grows
    matrix = np.array([[0.0, 2.0], [-2.0, 0.0]])
    found = amplification(course(matrix, np.stack([np.cos(2 * TIMES), -np.sin(2 * TIMES)], axis=1)))
    assert abs(found.exponent) < 1e-3
    assert found.long_run
    assert not found.amplifies
    assert found.e_fold == np.inf
    assert found.growth == pytest.approx(1.0, abs=1e-3)


def test_a_damped_driven_state_has_its_own_rate():
    # x' = -3 x + u: exponent -3, along the case, because it is driven
    expected = np.sin(TIMES)[:, None]
    found = amplification(course(np.array([[1.0, -3.0]]), expected, stimuli=(Sine(amplitude=1.0, period=5.0),)))
    assert found.exponent == pytest.approx(-3.0, rel=1e-3)
    assert not found.long_run and not found.amplifies


def test_nonnormal_growth_is_told_although_the_system_forgets():
    # x0' = -x0 + 20 x1, x1' = -x1: an error in x1 grows by up to 20 / e = 7.36 after 1 s, seen at states of one full scale
    matrix = np.array([[-1.0, 20.0], [0.0, -1.0]])
    expected = np.stack([np.exp(-TIMES), np.exp(-TIMES)], axis=1)
    found = amplification(course(matrix, expected))
    assert not found.amplifies
    assert found.growth == pytest.approx(20 / np.e, rel=0.03)  # a length, with what is left of x1 in it


def test_solutions_that_do_not_fit_are_refused():
    matrix, good = np.array([[-1.0]]), np.exp(-TIMES)[:, None]
    broken = good.copy()
    broken[700] = np.nan
    with pytest.raises(ResultsError, match=r"case run: board, state x0 is not finite at 3\.5 model s"):
        course(matrix, good, broken)
    with pytest.raises(ResultsError, match=r"board of shape \(2000, 1\), wanted \(2001, 1\)"):
        course(matrix, good, good[1:])
