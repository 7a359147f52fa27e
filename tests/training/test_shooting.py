"""Training by shooting on a rotation of the plane: small, known, and quick."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.errors import TrainingError
from training.models.neural_ode import linear_layers, solve
from training.shooting import Shooting, ShootingRecipe, SlopeFit, train_by_shooting

TIME = np.linspace(0.0, 6.0, 121)
CIRCLE = np.column_stack([np.cos(TIME), np.sin(TIME)])
RECIPE = ShootingRecipe(
    widths=(2, 16, 2),
    slopes=SlopeFit(steps=300, batch=64),
    stages=(Shooting(steps=20, window=10, batch=8, learning_rate=1e-3),),
    rotate=False,  # the plane's two coordinates are no ring: their exchange turns the rotation round
    validation=20,
    check_every=10,
)


@pytest.fixture(scope="module")
def shot():
    return train_by_shooting(TIME, CIRCLE, RECIPE)


def test_free_run_follows_the_circle(shot):
    run = solve(shot.net, None, CIRCLE[0], TIME, rtol=1e-6, atol=1e-8)
    error = np.abs(run - CIRCLE).mean()
    assert error < 0.15
    assert abs(error - shot.interpolation_l1) < 1e-3  # RK4 at the sample spacing against the reference solver


def test_weights_stay_under_their_ceiling(shot):
    for layer in linear_layers(shot.net):
        rms = layer.weight.square().mean().sqrt()
        assert layer.weight.abs().max() <= 1.001 * RECIPE.peak * rms


def test_same_seed_same_weights_other_seed_other(shot):
    again = train_by_shooting(TIME, CIRCLE, RECIPE)
    other = train_by_shooting(TIME, CIRCLE, replace(RECIPE, seed=1))
    assert torch.equal(again.net[0].weight, shot.net[0].weight)
    assert not torch.equal(other.net[0].weight, shot.net[0].weight)


def test_loss_falls_in_each_stage():
    losses = {}
    train_by_shooting(TIME, CIRCLE, RECIPE, lambda stage, k, n, loss: losses.setdefault(stage, []).append(loss))
    assert list(losses) == ["slopes", "shooting 1"]
    assert np.mean(losses["slopes"][-20:]) < 0.3 * np.mean(losses["slopes"][:20])
    assert len(losses["shooting 1"]) == 20


def test_adjoint_gives_the_gradient_of_the_unrolled_steps():
    """One step of each from the same weights; they differ by the backward solve's own RK4 error."""
    one = replace(RECIPE, slopes=SlopeFit(steps=50), check_every=1, stages=(replace(RECIPE.stages[0], steps=4, noise=0.0),))
    adjoint = replace(one, stages=(replace(one.stages[0], adjoint=True),))
    nets = [train_by_shooting(TIME, CIRCLE, recipe).net for recipe in (one, adjoint)]
    for p, q in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.allclose(p, q, atol=1e-4)


def test_validation_samples_do_not_touch_the_weights():
    """Spoil the held-out samples: the slope fit, which selects nothing, must give the same weights."""
    fit = replace(RECIPE, stages=(), slopes=SlopeFit(steps=20))
    spoilt = CIRCLE.copy()
    spoilt[-20:] = 5.0
    whole, held = train_by_shooting(TIME, CIRCLE, fit), train_by_shooting(TIME, spoilt, fit)
    assert torch.equal(whole.net[0].weight, held.net[0].weight)
    assert held.validation_l1 > whole.validation_l1


def test_soft_dtw_term_is_added():
    plain, losses = replace(RECIPE, stages=(replace(RECIPE.stages[0], steps=2),), slopes=SlopeFit(steps=20)), []
    for weight in (0.0, 10.0):
        recipe = replace(plain, stages=(replace(plain.stages[0], soft_dtw=weight),))
        train_by_shooting(TIME, CIRCLE, recipe, lambda s, k, n, loss: losses.append(loss) if s != "slopes" and k == 1 else None)
    assert losses[0] != losses[1]


def test_refusals():
    with pytest.raises(TrainingError, match="do not fit together"):
        train_by_shooting(TIME, CIRCLE, replace(RECIPE, widths=(3, 16, 3)))
    with pytest.raises(TrainingError, match="validation"):
        train_by_shooting(TIME, CIRCLE, replace(RECIPE, validation=120))
    with pytest.raises(TrainingError, match="shorten"):
        train_by_shooting(
            TIME, CIRCLE, replace(RECIPE, slopes=SlopeFit(steps=2), stages=(Shooting(steps=1, window=101),))
        )
