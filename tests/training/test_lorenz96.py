"""The ring: conservation, symmetry, tangent, truth against an independent solver, exponents."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from training.errors import PhysicsError
from training.lyapunov import largest_exponent
from training.systems.lorenz96 import FORCINGS, Lorenz96, phases

RING = Lorenz96(forcing=6.0)


@pytest.fixture
def states():
    return np.random.default_rng(7).normal(2.0, 3.0, (20, 6))


def test_advection_conserves_energy(states):
    assert_allclose((states * RING.advection(states)).sum(axis=1), 0.0, atol=1e-12)  # products of about 100


def test_equation_site_by_site(states):
    x = states[0]
    by_hand = [(x[(i + 1) % 6] - x[i - 2]) * x[i - 1] - x[i] + 6.0 for i in range(6)]
    assert_allclose(RING.rhs(x), by_hand, rtol=1e-13, atol=1e-13)


def test_sites_are_equal(states):
    assert_allclose(RING.rhs(np.roll(states, 2, axis=1)), np.roll(RING.rhs(states), 2, axis=1), rtol=1e-14, atol=1e-14)


def test_tangent_is_the_derivative(states):
    x, v = states[0], states[1]
    h = 1e-5
    # The equation is quadratic: the central difference is exact but for rounding, 1e-16 * 100 / h.
    assert_allclose(RING.tangent(x, v), (RING.rhs(x + h * v) - RING.rhs(x - h * v)) / (2 * h), rtol=1e-8, atol=1e-8)


def test_rest_state_stays():
    still = Lorenz96(forcing=6.0, start=(6.0,) * 6).solve(np.linspace(0.0, 0.5, 5))
    assert_allclose(still.state, 6.0, rtol=1e-12)


def test_truth_against_another_solver():
    t = RING.grid()[:201]
    run = RING.solve(t)
    start, span = RING.initial_state(), (0.0, t[-1])
    other = solve_ivp(lambda _, x: RING.rhs(x), span, start, method="LSODA", t_eval=t, rtol=1e-10, atol=1e-12)
    assert_allclose(run.state, other.y.T, atol=1e-6)  # model units; LSODA is the coarser of the two
    assert run.stimulus.shape == (201, 0)


def test_grid_and_split_are_the_published_ones():
    t = RING.grid()
    assert (len(t), t[0], t[-1]) == (2400, 0.0, 48.0)
    inner, outer = phases(np.zeros((2400, 6)))
    assert (len(inner), len(outer)) == (1800, 600)
    assert set(FORCINGS) == {"lorenz96_f6", "lorenz96_f8"}


def test_exponents():
    """F = 6 regular, F = 8 chaotic; short runs, so wide tolerances (2000 time units give 0.00 and 0.97)."""
    f6, f8 = (
        largest_exponent(s.rhs, s.tangent, s.initial_state(), duration=30.0, transient=10.0, rtol=1e-6)
        for s in FORCINGS.values()
    )
    assert abs(f6.value) < 0.2
    assert 0.6 < f8.value < 1.5


def test_refusals():
    with pytest.raises(PhysicsError, match="4 or more"):
        Lorenz96(forcing=6.0, start=(1.0, 2.0, 3.0))
    with pytest.raises(PhysicsError, match="finite"):
        Lorenz96(forcing=float("nan"))
    with pytest.raises(PhysicsError, match="2400"):
        phases(np.zeros((100, 6)))
