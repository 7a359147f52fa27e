"""The parts of a fit: functions in pieces, neurons left out, neurons of one size."""

import numpy as np
import pytest

from cosim.errors import UnsupportedModelError
from cosim.problem.fitting.chain import GAIN, Chain
from cosim.problem.fitting.thin import eliminate, thin
from cosim.problem.lowering.knots import piecewise_linear


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("function", [np.tanh, np.exp, np.sin, lambda x: x**3], ids=["tanh", "exp", "sin", "cube"])
def test_pieces_keep_their_tolerance(function, tolerance):
    x = np.linspace(-2, 2, 257)
    made = piecewise_linear(x, function(x), tolerance)
    fine = np.linspace(-2, 2, 5000)
    assert np.abs(made(fine) - function(fine)).max() < 2 * tolerance + 4e-4 * (tolerance < 1e-3)  # the grid's own curvature
    assert len(made.knots) < 3 * tolerance**-0.5


def test_a_straight_function_is_one_piece_and_a_constant_none():
    x = np.linspace(-1, 3, 257)
    assert piecewise_linear(x, 2 * x + 1, 1e-9).knots.tolist() == [-1]
    assert piecewise_linear(x, np.full_like(x, 7.0), 1e-9).constant == 7.0
    with pytest.raises(UnsupportedModelError, match="it is (nan|-inf) at"), np.errstate(all="ignore"):
        piecewise_linear(x, np.log(x), 1e-3)


def hinges(knots):
    return Chain(weights=(np.ones((len(knots), 1)), np.zeros((1, len(knots)))), biases=(-np.array(knots), np.zeros(1)))


def test_thinning_finds_the_neurons_that_are_needed():
    knots = np.linspace(-1, 0.9, 20)
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 1))
    wanted = 3 * np.maximum(z - knots[4], 0) - 2 * np.maximum(z - knots[13], 0) + 0.5
    thinned = thin(hinges(knots), z, wanted, np.array([1.0]), 1e-3)
    np.testing.assert_allclose(np.sort(-thinned.biases[0]), knots[[4, 13]], atol=1e-12)
    np.testing.assert_allclose(thinned(z), wanted, atol=1e-4)


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3])
def test_thinning_uses_its_tolerance_and_no_more(tolerance):
    z = np.random.default_rng(0).uniform(-1, 1, (4000, 1))
    thinned = thin(hinges(np.linspace(-1, 0.98, 100)), z, np.sin(3 * z), np.array([1.0]), tolerance)
    off = np.sqrt(((thinned(z) - np.sin(3 * z)) ** 2).mean())
    assert 0.05 * tolerance < off <= 1.01 * tolerance
    assert thinned.neurons < 3 * tolerance**-0.5


def test_least_squares_of_all_features_is_that_of_numpy():
    rng = np.random.default_rng(0)
    features, target = rng.normal(size=(300, 5)), rng.normal(size=(300, 2))
    kept, coefficients = eliminate(features, target, 0.0)
    expected = np.linalg.lstsq(np.column_stack([np.ones(300), features]), target, rcond=None)[0]
    assert kept.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(coefficients, expected, rtol=1e-6, atol=1e-9)


def test_large_weights_that_cancel_count_as_an_error():
    """Two features that are alike but for 1e-6: their difference would need weights of a million, which amplifiers drown."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, 1000))
    _, coefficients = eliminate(np.column_stack([x, x + 1e-6 * y]), y[:, None], 1e-3)
    assert np.abs(coefficients).max() < 1e4


def test_a_levelled_chain_is_the_same_function():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(9, 3)) * 10.0 ** rng.integers(-3, 4, (9, 1))
    chain = Chain(weights=(first, rng.normal(size=(5, 9)), rng.normal(size=(2, 5))),
                  biases=(rng.normal(size=9), rng.normal(size=5), rng.normal(size=2)))
    z = rng.uniform(-1, 1, (500, 3))
    levelled = chain.levelled(z)
    np.testing.assert_allclose(levelled(z), chain(z), rtol=1e-9, atol=1e-9 * np.abs(chain(z)).max())
    signal = z
    for weight, bias in zip(levelled.weights[:-1], levelled.biases[:-1], strict=True):
        assert np.maximum((np.abs(weight) * np.abs(signal).max(axis=0)).max(axis=1), np.abs(bias)).max() <= GAIN * (1 + 1e-12)
        signal = np.maximum(signal @ weight.T + bias, 0.0)
        assert signal.max() <= 1 + 1e-12
