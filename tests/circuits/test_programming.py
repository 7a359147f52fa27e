"""Levels, programming error, yield."""

import numpy as np
import pytest

from circuits.array.programming import Programming
from circuits.array.window import Window
from circuits.errors import CircuitError

WINDOW = Window()


@pytest.fixture
def wanted():
    return np.random.default_rng(2).uniform(WINDOW.g_min, WINDOW.g_max, (32, 32))


def test_nominal_changes_nothing(wanted):
    np.testing.assert_array_equal(Programming().apply(wanted, WINDOW, 1), wanted)


def test_64_levels_are_1_27_us_apart(wanted):
    got = Programming(levels=64).apply(wanted, WINDOW, 1)
    step = 80e-6 / 63
    assert np.abs(got - wanted).max() <= step / 2 * (1 + 1e-9)
    np.testing.assert_allclose((got - 20e-6) / step, np.round((got - 20e-6) / step), atol=1e-9)
    assert len(np.unique(np.round(got * 1e12))) == 64


def test_mean_relative_error_is_what_was_asked_for():
    g = np.full((32, 32), 50e-6)
    errors = [np.abs(Programming(error=0.022, seed=s).apply(g, WINDOW, 1) / g - 1).mean() for s in range(30)]
    # 30 * 1024 draws: the mean of |x| has a standard error of 0.6 of sigma / sqrt(n), 0.0001
    assert np.mean(errors) == pytest.approx(0.022, abs=0.0004)


def test_seed_and_array_decide_the_draw(wanted):
    first = Programming(error=0.02, seed=3).apply(wanted, WINDOW, 1)
    np.testing.assert_array_equal(first, Programming(error=0.02, seed=3).apply(wanted, WINDOW, 1))
    assert (first != Programming(error=0.02, seed=4).apply(wanted, WINDOW, 1)).any()
    assert (first != Programming(error=0.02, seed=3).apply(wanted, WINDOW, 2)).any()


def test_yield_leaves_cells_stuck_at_the_windows_ends():
    g = np.full((32, 32), 50e-6)
    stuck = np.concatenate([Programming(cell_yield=0.973, seed=s).apply(g, WINDOW, 1).ravel() for s in range(20)])
    stuck = stuck[stuck != 50e-6]
    assert set(stuck) == {WINDOW.g_min, WINDOW.g_max}
    # 20480 cells, binomial: 2.7 % +- 0.11 % (one sigma)
    assert len(stuck) / 20480 == pytest.approx(0.027, abs=0.005)


@pytest.mark.parametrize("bad", [{"levels": 1}, {"error": -0.1}, {"error": 0.9}, {"cell_yield": 0.0}, {"cell_yield": 1.5}])
def test_refuses_nonsense(bad):
    with pytest.raises(CircuitError, match="between|at least"):
        Programming(**bad)
