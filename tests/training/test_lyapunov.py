"""The exponent of a system that has one in closed form, and the time a prediction is valid."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from training.errors import PhysicsError, SolverError
from training.lyapunov import attractor_spread, ensemble_exponent, largest_exponent, valid_prediction_time

A = np.array([[-0.3, 2.0, 0.0], [-2.0, -0.3, 1.0], [0.0, 0.0, -1.0]])


def test_linear_system_has_its_largest_real_eigenvalue():
    # 40 time units are 25 half turns of exp(+-2i t) and a bit: the wobble of a rotating vector's length is gone to 1e-2.
    found = largest_exponent(lambda x: A @ x, lambda x, v: A @ v, np.ones(3), duration=40.0, transient=10.0)
    assert_allclose(found.value, np.linalg.eigvals(A).real.max(), atol=1e-2)
    assert found.standard_error < 0.05


def test_diagonal_growth_is_found_from_any_direction():
    a = np.diag([0.4, -1.0, -2.0])
    found = largest_exponent(lambda x: a @ x, lambda x, v: a @ v, np.zeros(3), duration=20.0, transient=20.0)
    assert_allclose(found.value, 0.4, atol=1e-6)


def test_valid_time_of_an_exponential_error():
    t = np.linspace(0.0, 10.0, 1001)
    truth = np.zeros((1001, 2))
    predicted = np.column_stack([1e-3 * np.exp(0.8 * t), 0 * t])
    found = valid_prediction_time(t, predicted, truth, spread=2.0, exponent=0.8)
    assert_allclose(found.time, np.log(0.8 / 1e-3) / 0.8, atol=0.01)  # one sample
    assert_allclose(found.lyapunov_times, np.log(800.0), atol=0.008)
    assert not found.censored


def test_a_run_that_never_fails_is_censored_and_nan_is_a_failure():
    t, truth = np.linspace(3.0, 4.0, 11), np.zeros((11, 1))
    good = valid_prediction_time(t, truth, truth, spread=1.0, exponent=2.0)
    assert good.censored and good.time == 1.0 and good.lyapunov_times == 2.0
    broken = truth.copy()
    broken[4:] = np.nan
    assert_allclose(valid_prediction_time(t, broken, truth, spread=1.0, exponent=2.0).time, 0.4)


def test_spread_is_about_the_mean():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert attractor_spread(x) == attractor_spread(x + 100.0) == 1.0


def test_refusals():
    t, x = np.linspace(0.0, 1.0, 5), np.zeros((5, 2))
    with pytest.raises(PhysicsError, match="do not match"):
        valid_prediction_time(t, x[:4], x, spread=1.0, exponent=1.0)
    with pytest.raises(PhysicsError, match="exponent"):
        valid_prediction_time(t, x, x, spread=1.0, exponent=0.0)
    with pytest.raises(PhysicsError, match="ten positive intervals"):
        largest_exponent(lambda x: x, lambda x, v: v, [1.0], duration=1.0, interval=0.5)


def test_an_ensemble_has_the_exponent_of_one_run():
    a = np.diag([0.4, -1.0, -2.0])
    starts = np.random.default_rng(1).normal(size=(5, 3))
    found = ensemble_exponent(lambda x: x @ a.T, lambda x: np.broadcast_to(a, (len(x), 3, 3)), starts,
                              duration=10.0, transient=20.0, step=0.01)
    assert_allclose(found.value, 0.4, atol=1e-5)  # the trapezoidal rule's growth per step
    assert found.standard_error < 1e-6


def test_an_ensemble_finds_lorenz63s_exponent():
    # 0.9056 per time unit at sigma 10, rho 28, beta 8/3 (Sprott, Chaos and Time-Series Analysis, 2003)
    def rhs(z):
        x, y, w = z.T
        return np.stack([10 * (y - x), x * (28 - w) - y, x * y - 8 / 3 * w], axis=1)

    def jacobian(z):
        x, y, w = z.T
        one = np.ones_like(x)
        return np.stack([np.stack([-10 * one, 10 * one, 0 * one], 1), np.stack([28 - w, -one, -x], 1),
                         np.stack([y, x, -8 / 3 * one], 1)], axis=1)

    starts = np.random.default_rng(0).normal(size=(60, 3)) + np.array([1.0, 1.0, 20.0])
    found = ensemble_exponent(rhs, jacobian, starts, duration=20.0, transient=10.0, step=0.005)
    assert abs(found.value - 0.9056) < max(3 * found.standard_error, 0.01)
    assert found.standard_error < 0.02


def test_an_ensemble_refuses_what_means_nothing():
    flat = {"duration": 1.0, "transient": 0.0, "step": 0.1}
    with pytest.raises(PhysicsError, match="give two or more"):
        ensemble_exponent(lambda x: x, lambda x: x, np.ones((1, 2)), **flat)
    with pytest.raises(PhysicsError, match="take positive times"):
        ensemble_exponent(lambda x: x, lambda x: x, np.ones((3, 2)), duration=1.0, transient=0.0, step=0.0)
    with pytest.raises(SolverError, match="left the finite numbers"):
        ensemble_exponent(lambda x: np.exp(50 * x), lambda x: np.zeros((len(x), 1, 1)), np.ones((2, 1)), **flat)
