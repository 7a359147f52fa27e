"""A star for a mesh: by hand, and on the sums of random meshes."""

import numpy as np
import pytest

from circuits.array.star import star
from circuits.errors import CircuitError


def seen(legs):
    """Conductance of each pin to the others together."""
    return legs - legs**2 / legs.sum()


def test_three_pins_are_the_mesh():
    # between pins 1, 2, 3 S: the legs are sums of products over the opposite one
    mesh = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]], dtype=float)
    legs = star(mesh.sum(axis=1))
    np.testing.assert_allclose(legs, [11 / 3, 11 / 2, 11], rtol=1e-9)
    np.testing.assert_allclose(np.outer(legs, legs) / legs.sum() * (1 - np.eye(3)), mesh, rtol=1e-9)


@pytest.mark.parametrize("pins", [2, 3, 5, 32])
def test_every_pin_sees_its_sum(pins):
    mesh = np.random.default_rng(pins).uniform(1e-7, 25e-7, (pins, pins))
    totals = (mesh + mesh.T - 2 * np.diag(np.diag(mesh))).sum(axis=1)
    np.testing.assert_allclose(seen(star(totals)), totals, rtol=1e-9)


@pytest.mark.parametrize("totals", [np.zeros(1), np.zeros(4)])
def test_nothing_between_the_pins_is_no_star(totals):
    assert (star(totals) == 0).all()


def test_a_pin_with_more_than_half_has_no_star():
    with pytest.raises(CircuitError, match="one is more than half"):
        star(np.array([5.0, 1.0, 1.0]))
