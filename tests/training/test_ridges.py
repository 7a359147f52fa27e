"""Ridge networks: what they find of a field, what they refuse, and how far the committed one predicts the chaotic ring."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from training import checkpoint
from training.errors import TrainingError
from training.experiments import lorenz96_ridges as experiment
from training.models.neural_ode import widths_of
from training.ridges import RidgeRecipe, fit_ridges
from training.systems.lorenz96 import FORCINGS, TRAINING_SAMPLES, phases

RING = FORCINGS["lorenz96_f8"]


@pytest.fixture(scope="module")
def span():
    run = experiment.truth(RING)
    return run.time[:TRAINING_SAMPLES], phases(run.state)[0]


@pytest.fixture(scope="module")
def fitted(span):
    return fit_ridges(*span, RidgeRecipe(kinks=(10,)))


def test_the_ring_has_two_directions_per_site(fitted):
    """(x1 - x4) x5 is a difference of two squares; the damping is affine and needs no direction."""
    assert (fitted.directions, fitted.kinks, widths_of(fitted.net)) == (2, 10, (6, 138, 6))
    assert fitted.quadratic_error < 1e-4  # model units per time unit; slopes reach 126


def test_all_sites_are_equal(fitted, span):
    states = torch.from_numpy(span[1][:50])
    turned = torch.roll(states, 2, dims=1)
    # rounding alone, of slopes up to 126 model units per time unit
    torch.testing.assert_close(fitted.net(turned), torch.roll(fitted.net(states), 2, dims=1), rtol=1e-10, atol=1e-10)


def test_twice_the_kinks_leave_a_quarter_of_the_error(fitted, span):
    finer = fit_ridges(*span, RidgeRecipe(kinks=(20,)))
    assert 3.0 < fitted.validation_error / finer.validation_error < 6.0


def test_the_fewest_kinks_that_reach_the_wanted_error_are_taken(span):
    assert fit_ridges(*span, RidgeRecipe(kinks=(4, 8, 12), wanted=0.5)).kinks == 8
    assert fit_ridges(*span, RidgeRecipe(kinks=(4, 8), wanted=1e-9)).kinks == 8


def test_the_same_samples_give_the_same_weights(fitted, span):
    again = fit_ridges(*span, RidgeRecipe(kinks=(10,)))
    assert all(torch.equal(a, b) for a, b in zip(fitted.net.parameters(), again.net.parameters(), strict=True))


def test_what_cannot_be_fitted_is_refused(span):
    time = np.linspace(0.0, 10.0, 400)
    carried = np.roll(np.eye(5), -1, 0) - np.roll(np.eye(5), 1, 0) - 0.1 * np.eye(5)  # a linear ring of equals
    wave = np.stack([expm(carried * t) @ [1.0, 0.3, -0.5, 0.8, -1.2] for t in time])
    with pytest.raises(TrainingError, match="affine"):
        fit_ridges(time, wave, RidgeRecipe(validation=100))
    with pytest.raises(TrainingError, match="leave 100 samples"):
        fit_ridges(span[0][:350], span[1][:350])
    with pytest.raises(TrainingError, match="kinks"):
        RidgeRecipe(kinks=(1,))


def test_the_committed_network_is_what_the_recipe_gives(span):
    kept = checkpoint.load(experiment.ridges_path(RING))
    fit = fit_ridges(*span)
    assert kept.provenance["kinks"] == fit.kinks
    states = torch.from_numpy(span[1][::50])
    # model units per time unit: least squares of another library version; the fit itself is off by 7e-3
    torch.testing.assert_close(kept.net(states), fit.net(states), rtol=0, atol=1e-3)


def test_seven_lyapunov_times_in_torch():
    """The median of ten starts of the extrapolation span, of which training saw nothing."""
    samples, duration = 392, 391 * RING.grid()[1]  # 7.5 Lyapunov times
    net = checkpoint.load(experiment.ridges_path(RING)).net
    runs = experiment.network_runs(net, experiment.later_starts(RING), duration, samples)
    found = experiment.horizons(RING, runs, experiment.true_runs(RING, experiment.STARTS, duration, samples), duration)
    assert len(found) == experiment.STARTS == 10
    assert np.median([one.lyapunov_times for one in found]) >= 7.0


def test_the_regular_ring_has_no_horizon(span):
    runs = np.zeros((3, 1, 6))
    with pytest.raises(TrainingError, match="about 0"):
        experiment.horizons(FORCINGS["lorenz96_f6"], runs, runs, 1.0)


def test_a_checkpoint_that_is_there_is_not_fitted_again(tmp_path):
    path = experiment.train_ridges(RING, recipe=RidgeRecipe(kinks=(4,)), folder=tmp_path)
    before = path.read_bytes()
    assert experiment.train_ridges(RING, recipe=replace(RidgeRecipe(), kinks=(5,)), folder=tmp_path).read_bytes() == before
