"""The trainers on a case of seconds."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.errors import TrainingError
from training.models.neural_ode import solve, widths_of
from training.models.recurrent_resnet import rollout
from training.noise import WeightNoise
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES
from training.trainer import Recipe, Stage, train_neural_ode, train_resnet

SYSTEM, SINE = DRIVES["current"], STIMULI["sine"]
SMALL = Recipe(widths=(2, 6, 1), stages=(Stage(steps=60, window=4, stride=3, batch=8),), learning_rate=2e-2, seed=1)
NOISE = WeightNoise(g_min=20e-6, g_max=100e-6, levels=64, spread=0.0276)
NOISY = Recipe(widths=(2, 4, 1), stages=(Stage(steps=5, window=2, batch=2, boards=3),), learning_rate=1e-2, seed=2, noise=NOISE)
RESNET = Recipe(widths=(2, 6, 1), stages=(Stage(steps=200, window=4, batch=16),), learning_rate=1e-2, seed=1)


def weights(trained):
    return torch.cat([p.detach().flatten() for p in trained.net.parameters()])


def test_the_loss_falls_and_the_network_follows_the_truth():
    losses, threads = [], torch.get_num_threads()
    trained = train_neural_ode(SYSTEM, SINE, SMALL, lambda step, total, loss: losses.append((step, total, loss)))
    assert [step for step, *_ in losses] == list(range(1, 61))
    assert {total for _, total, _ in losses} == {60}
    values = [loss for *_, loss in losses]
    assert np.mean(values[-10:]) < 0.2 * values[0]
    assert trained.loss == pytest.approx(np.mean(values[-20:]))
    assert (trained.steps, widths_of(trained.net)) == (60, (2, 6, 1))
    assert torch.get_num_threads() == threads  # borrowed one, gave it back
    t = np.linspace(0.0, 0.1, 21)
    got = solve(trained.net, SINE, SYSTEM.initial_state(), t, rtol=1e-6, atol=1e-8)[:, 0]
    # model units, a tenth of full scale: sixty steps do no better, and a network left in its training units is far off
    assert np.abs(got - SYSTEM.closed_form(SINE, t)).max() < 0.05


def test_the_resnet_learns_too():
    losses = []
    trained = train_resnet(SYSTEM, SINE, RESNET, lambda step, total, loss: losses.append(loss))
    assert np.mean(losses[-20:]) < 0.2 * losses[0]
    u = torch.from_numpy(SINE(SYSTEM.grid()))[:, None]
    y = rollout(trained.net, u, torch.from_numpy(SYSTEM.initial_state())).detach().numpy()[:, 0]
    assert np.abs(y - SYSTEM.closed_form(SINE, SYSTEM.grid())).max() < 0.1  # model units, over all 500 steps


def test_the_seed_reproduces_every_bit():
    first, again = (weights(train_neural_ode(SYSTEM, SINE, NOISY)) for _ in range(2))
    assert torch.equal(first, again)
    other = Recipe(widths=NOISY.widths, stages=NOISY.stages, learning_rate=1e-2, seed=3, noise=NOISE)
    assert not torch.equal(first, weights(train_neural_ode(SYSTEM, SINE, other)))


def test_windows_longer_than_the_run_are_refused():
    for stage in (Stage(steps=1, window=501), Stage(steps=1, window=100, stride=6)):
        with pytest.raises(TrainingError, match=r"a window of (501|600) grid steps is longer than the run, 500"):
            train_neural_ode(SYSTEM, SINE, Recipe(stages=(stage,), learning_rate=1e-2))
    with pytest.raises(TrainingError, match="a window of 500 steps is longer than the run, 499"):
        train_resnet(SYSTEM, SINE, Recipe(stages=(Stage(steps=1, window=500),), learning_rate=1e-2))


@pytest.mark.parametrize("stage", [Stage(steps=1, window=2, boards=1), Stage(steps=1, window=2, stride=2)])
def test_the_resnet_refuses_what_it_does_not_do(stage):
    with pytest.raises(TrainingError, match="no boards and a stride of 1"):
        train_resnet(SYSTEM, SINE, Recipe(stages=(stage,), learning_rate=1e-2))


@pytest.mark.parametrize("train", [train_neural_ode, train_resnet])
def test_a_loss_that_is_not_a_number_stops_the_training_and_says_when(train):
    recipe = Recipe(widths=(2, 4, 1), stages=(Stage(steps=50, window=3, batch=2),), learning_rate=1e200)
    with pytest.raises(TrainingError, match=r"training loss became (nan|inf) at step \d+; lower the learning rate"):
        train(SYSTEM, SINE, recipe)


def test_an_interrupt_in_the_progress_function_gives_the_threads_back():
    threads = torch.get_num_threads()

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_resnet(SYSTEM, SINE, RESNET, stop)
    assert torch.get_num_threads() == threads
    assert math.isfinite(threads)


def test_noisy_boards_need_an_arrays_noise():
    with pytest.raises(TrainingError, match="3 noisy boards, but the recipe knows no array's noise; give it noise="):
        train_neural_ode(DRIVES["current"], STIMULI["sine"], replace(NOISY, noise=None))
