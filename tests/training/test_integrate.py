"""The reference solver on problems with known solutions."""

import numpy as np
import pytest
from scipy.linalg import expm

from training.errors import SolverError
from training.integrate import integrate

OSCILLATOR = np.array([[0.0, 1.0], [-9.0, -0.4]])  # 1/s, not symmetric


def test_linear_system_is_the_matrix_exponential():
    t, y0 = np.linspace(0.0, 2.0, 41), np.array([1.0, -0.5])
    got = integrate(lambda _, y: OSCILLATOR @ y, y0, t)
    expected = np.array([expm(OSCILLATOR * at) @ y0 for at in t])
    assert got.shape == (41, 2)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)  # rtol 1e-11 a step, 40 steps and more


def test_times_need_not_start_at_zero_nor_be_even():
    t = np.array([1.0, 1.1, 1.7, 3.0])
    np.testing.assert_allclose(integrate(lambda at, y: np.array([at]), [0.5], t)[:, 0], 0.5 * t**2, rtol=0, atol=1e-13)


def test_error_falls_with_the_tolerance():
    t, y0 = np.linspace(0.0, 8.0, 3), np.array([1.0, 0.0])  # far apart, so that the tolerance decides the steps
    exact = expm(OSCILLATOR * 8.0) @ y0
    errors = [np.abs(integrate(lambda _, y: OSCILLATOR @ y, y0, t, rtol=tol, atol=tol * 1e-2)[-1] - exact).max()
              for tol in (1e-4, 1e-7, 1e-10)]
    assert errors[1] < 0.05 * errors[0]
    assert errors[2] < 0.05 * errors[1]
    assert errors[2] < 1e-9


def sawtooth_area(t):
    """Integral of t mod 1."""
    return 0.5 * np.floor(t) + 0.5 * np.mod(t, 1.0) ** 2


def test_breakpoints_are_honoured():
    """y' = t mod 1 jumps; with the jumps given the answer is exact although no sample lies on one."""
    t = np.array([0.0, 1.3, 2.6, 3.9])
    seen = []

    def rhs(at, y):
        seen.append(at)
        return np.array([at - np.floor(at)])

    inside = np.nextafter([1.0, 2.0, 3.0], 0.0)  # the right-hand side is still that of the old branch there
    got = integrate(rhs, [0.0], t, breakpoints=inside)[:, 0]
    np.testing.assert_allclose(got, sawtooth_area(t), rtol=0, atol=1e-9)  # a first stage on the old branch costs less
    assert {float(b) for b in inside} <= set(seen)  # the solver stood on each of them


def test_breakpoints_outside_the_run_and_on_its_ends_are_no_matter():
    t = np.linspace(0.0, 1.0, 5)
    plain = integrate(lambda at, y: -y, [1.0], t)
    np.testing.assert_array_equal(plain, integrate(lambda at, y: -y, [1.0], t, breakpoints=[-1.0, 0.0, 1.0, 7.0]))


def test_a_breakpoint_on_a_sample_gives_that_sample_once():
    t = np.array([0.0, 0.5, 1.0])
    got = integrate(lambda at, y: np.array([1.0 if at < 0.5 else 3.0]), [0.0], t, breakpoints=[0.5])[:, 0]
    np.testing.assert_allclose(got, [0.0, 0.5, 2.0], rtol=0, atol=1e-9)  # the last stage before 0.5 sits on it


@pytest.mark.parametrize("t", [[0.0], [0.0, 0.0, 1.0], [1.0, 0.0], [[0.0, 1.0]], [0.0, np.nan]])
def test_refuses_times_that_do_not_ascend(t):
    with pytest.raises(SolverError, match="ascending"):
        integrate(lambda at, y: y, [1.0], np.array(t))


def test_a_solution_that_runs_away_is_an_error_with_its_time():
    with pytest.raises(SolverError, match=r"at t = (0\.99\d*|1) s of 2 s.* bounded"), np.errstate(all="ignore"):
        integrate(lambda at, y: y**2, [1.0], np.linspace(0.0, 2.0, 9))  # 1/(1 - t)


def test_a_right_hand_side_that_is_not_a_number_is_an_error():
    with pytest.raises(SolverError, match=r"derivative is \[nan\] at t = 0 s of 1 s.*weights"), np.errstate(all="ignore"):
        integrate(lambda at, y: y * np.nan, [1.0], np.linspace(0.0, 1.0, 5))
