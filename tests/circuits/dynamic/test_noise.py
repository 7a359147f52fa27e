"""Coloured noise: its deviation, correlation and spectrum by hand, and that they belong to it and not to a step."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import periodogram

from circuits.dynamic.noise import ColouredNoise, filtered_autocorrelation, filtered_deviation
from circuits.errors import CircuitError

T = 0.5e-3  # s
NOISE = ColouredNoise.of(7e-3, T, "constant")


def draws(runs, duration, noise=NOISE):
    return noise.draw(duration, [np.random.default_rng([5, k]) for k in range(runs)])


def test_density_is_stated_for_the_deviation():
    # integral over f > 0 of S / (1 + (2 pi f T)^2) = S / (4 T) = deviation^2
    assert NOISE.density == pytest.approx(2 * 7e-3 * np.sqrt(T))
    assert NOISE.deviation == pytest.approx(7e-3)


def test_draws_are_an_ornstein_uhlenbeck_process():
    a = draws(2000, 40 * T)
    # 2000 independent columns: 1/sqrt(2000) of a mean, 1/sqrt(4000) of a deviation; four of each
    assert_allclose(a.mean(axis=0), 0, atol=4 / np.sqrt(2000))
    assert_allclose(a.std(axis=0), 1, atol=4 / np.sqrt(4000))
    for lag in (1, 8, 16):
        assert np.mean(a[:, lag:] * a[:, :-lag]) == pytest.approx(np.exp(-lag / 8), abs=0.02)


@pytest.mark.parametrize("refined", [1, 2, 4])
def test_spectrum_is_the_same_whatever_the_step(refined):
    """Of the draws as a solver sees them, straight between points, sampled ``refined`` times as fine as the grid."""
    a = draws(150, 256 * T)
    points = np.arange(0, a.shape[1] - 1 + 1e-9, 1 / (4 * refined))
    fine = np.stack([np.interp(points, np.arange(a.shape[1]), run) for run in a])
    frequency, density = periodogram(fine, fs=4 * refined / NOISE.grid, detrend=False)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 1.0), (1.0, 3.0)):  # of 1 / T
        band = (frequency > low / T) & (frequency < high / T)
        assert np.mean(density[:, band]) == pytest.approx(np.mean(NOISE.spectrum(frequency[band])), rel=0.05)


def test_spectrum_is_lorentzian_up_to_its_corner():
    f = np.linspace(0, 1 / (2 * np.pi * T), 50)
    assert_allclose(NOISE.spectrum(f), 4 * T / (1 + (2 * np.pi * f * T) ** 2), rtol=2e-3)
    assert NOISE.spectrum(np.array(0.5 / T)) / (4 * T / (1 + np.pi**2)) == pytest.approx(0.99, abs=0.005)


def test_same_seed_same_draws_and_longer_runs_begin_alike():
    assert_array_equal(draws(3, 10 * T), draws(3, 10 * T))
    assert_array_equal(draws(3, 10 * T), draws(3, 20 * T)[:, :81])
    assert np.abs(draws(2, T)[0] - draws(2, T)[1]).min() > 0


def test_behind_a_low_pass():
    tau, f = 1e-3, np.linspace(0, 200 / T, 400_001)
    power = 4 * 7e-3**2 * T / (1 + (2 * np.pi * f * T) ** 2) / (1 + (2 * np.pi * f * tau) ** 2)
    assert filtered_deviation(7e-3, T, tau) == pytest.approx(np.sqrt(np.trapezoid(power, f)), rel=1e-3)
    lag = 0.7e-3
    covariance = np.trapezoid(power * np.cos(2 * np.pi * f * lag), f)
    assert filtered_autocorrelation(lag, T, tau) == pytest.approx(covariance / np.trapezoid(power, f), rel=1e-3)


@pytest.mark.parametrize(("changes", "message"), [
    ({"density": 0.0}, "density = 0.0"), ({"correlation_time": np.nan}, "correlation_time"), ({"points": 1}, "1 points"),
])
def test_impossible_noise(changes, message):
    with pytest.raises(CircuitError, match=message):
        ColouredNoise(**({"density": 1e-3, "correlation_time": T, "law": "constant"} | changes))
