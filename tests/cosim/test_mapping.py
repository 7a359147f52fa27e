"""Weights to pairs: properties, conventions, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from circuits.array.window import Window
from circuits.errors import CircuitError
from cosim.compiler.mapping import interleave, pairs_to_weights, weights_to_pairs
from cosim.errors import MappingError

WINDOW = Window()
weights = arrays(float, st.tuples(st.integers(1, 8), st.integers(1, 8)),
                 elements=st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-9))


@given(weights)
def test_round_trip(w):
    g_p, g_n, scale = weights_to_pairs(w, WINDOW)
    # atol: a part in 1e15 of g_max over g_scale is what a float64 difference near 100 uS can lose
    np.testing.assert_allclose(pairs_to_weights(g_p, g_n, scale), w, rtol=1e-9, atol=1e-14 * WINDOW.g_max / scale)


@given(weights)
def test_inside_the_window_and_one_device_idle(w):
    g_p, g_n, _ = weights_to_pairs(w, WINDOW)
    for g in (g_p, g_n):
        assert (g >= WINDOW.g_min).all()
        assert (g <= WINDOW.g_max * (1 + 1e-12)).all()
    np.testing.assert_array_equal(np.minimum(g_p, g_n), WINDOW.g_min)


@given(weights)
def test_negating_the_weights_swaps_the_devices(w):
    g_p, g_n, _ = weights_to_pairs(w, WINDOW)
    h_p, h_n, _ = weights_to_pairs(-w, WINDOW)
    np.testing.assert_array_equal(g_p, h_n)
    np.testing.assert_array_equal(g_n, h_p)


def test_by_hand():
    # 80 uS of span for the largest weight, 2: 40 uS a unit; -1 gives g_n = 20 + 40 = 60 uS
    g_p, g_n, scale = weights_to_pairs(np.array([[2.0, -1.0, 0.0]]), WINDOW)
    assert scale == pytest.approx(40e-6)
    np.testing.assert_allclose(g_p, [[100e-6, 20e-6, 20e-6]])
    np.testing.assert_allclose(g_n, [[20e-6, 60e-6, 20e-6]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_not_finite_and_names_it(bad):
    w = np.ones((2, 3))
    w[1, 2] = bad
    with pytest.raises(MappingError, match=r"w\[1,2\]"):
        weights_to_pairs(w, WINDOW)


def test_refuses_a_weight_past_the_window_and_names_device_and_remedy():
    with pytest.raises(MappingError, match=r"g_n\[0,1\] = 120\.00 uS exceeds g_max = 100\.00 uS; lower g_scale"):
        weights_to_pairs(np.array([[1.0, -2.0]]), WINDOW, g_scale=50e-6)


def test_interleave_keeps_rows_as_outputs_and_pairs_adjacent():
    g_p = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    g = interleave(g_p, -g_p, 8, 0.5)
    np.testing.assert_array_equal(g[0, :6], [1, -1, 2, -2, 3, -3])
    np.testing.assert_array_equal(g[1, :6], [4, -4, 5, -5, 6, -6])
    assert (g[2:] == 0.5).all()
    assert (g[:, 6:] == 0.5).all()


def test_interleave_refuses_what_does_not_fit():
    with pytest.raises(MappingError, match="do not fit"):
        interleave(np.ones((1, 5)), np.ones((1, 5)), 8, 0.5)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1e-4), (1e-4, 1e-4), (20.0, 100.0)])
def test_window_refuses_nonsense(low, high):
    with pytest.raises(CircuitError, match="window"):
        Window(g_min=low, g_max=high)
