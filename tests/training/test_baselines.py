"""The discrete baselines: cells against torch's own, matched sizes, independent seeds, a tiny training."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from training.baselines import BaselineRecipe, Windows, train_baseline
from training.errors import ModelError, TrainingError
from training.models.neural_ode import derivative_network
from training.models.recurrent import KINDS, Recurrent

TURN = np.linspace(0.0, 12.0, 121)
CIRCLE = 3.0 * np.column_stack([np.cos(TURN), np.sin(TURN)])
TINY = BaselineRecipe(
    stages=(
        Windows(steps=150, window=1, batch=32, learning_rate=1e-2),
        Windows(steps=20, window=8, batch=8, learning_rate=3e-3),
    ),
    rotate=False,
    validation=20,
    check_every=10,
)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_match_the_neural_ode(kind):
    reference = sum(p.numel() for p in derivative_network((6, 64, 64, 6), seed=0).parameters())
    assert abs(Recurrent(kind).parameters_each() - reference) <= 0.01 * reference


@pytest.mark.parametrize(("kind", "cell"), [("rnn", torch.nn.RNNCell), ("gru", torch.nn.GRUCell), ("lstm", torch.nn.LSTMCell)])
def test_cells_are_those_of_torch(kind, cell):
    model = Recurrent(kind, d=3, hidden=(5,), seeds=(0, 4))
    x = torch.randn((2, 7, 3), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    run = model.rollout(x, 4)
    for s in range(2):
        own = cell(3, 5, dtype=torch.float64)
        w, b = model.weights, model.biases
        values = {"weight_ih": w[0][s].T, "weight_hh": w[1][s].T, "bias_ih": b[0][s, 0], "bias_hh": b[1][s, 0]}
        own.load_state_dict(values)
        y, carry = x[s], None
        for k in range(1, 4):
            carry = own(y, carry)
            y = (carry[0] if kind == "lstm" else carry) @ w[2][s] + b[2][s]
            assert_allclose(run[k, s].detach(), y.detach(), atol=1e-12)


def test_resnet_adds_to_the_state():
    model = Recurrent("resnet", d=2, hidden=(4,))
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.biases[-1].fill_(0.25)
    run = model.rollout(torch.ones((1, 1, 2), dtype=torch.float64), 4)
    assert_allclose(run[:, 0, 0, 0].detach(), [1.0, 1.25, 1.5, 1.75])


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss_and_stores_what_it_selected(kind):
    losses = []
    model = Recurrent(kind, d=2, hidden=(8,), seeds=(0, 1))
    trained = train_baseline(model, CIRCLE, TINY, lambda k, n, loss: losses.append(loss))
    assert np.mean(losses[130:150]) < 0.5 * np.mean(losses[:10])
    run = trained.free_run(CIRCLE[0], len(CIRCLE))
    assert run.shape == (2, 121, 2)
    assert_allclose(run[:, 0], np.broadcast_to(CIRCLE[0], (2, 2)), rtol=1e-12)
    assert_allclose(np.abs(run - CIRCLE).mean(axis=(1, 2)), trained.interpolation_l1, rtol=1e-9)


def test_a_seed_does_not_depend_on_its_neighbours():
    alone = train_baseline(Recurrent("gru", d=2, hidden=(4,), seeds=(3,)), CIRCLE, TINY)
    draws = Recurrent("gru", d=2, hidden=(4,), seeds=(3, 9))
    both = train_baseline(draws, CIRCLE, TINY)
    assert_allclose(both.interpolation_l1[0], alone.interpolation_l1[0], rtol=1e-4)


def test_refusals():
    with pytest.raises(ModelError, match="unknown baseline"):
        Recurrent("transformer")
    with pytest.raises(ModelError, match="one width"):
        Recurrent("lstm", hidden=(4, 4))
    with pytest.raises(ModelError, match="expected"):
        Recurrent("gru").rollout(torch.zeros((2, 1, 6), dtype=torch.float64), 3)
    with pytest.raises(TrainingError, match="give"):
        train_baseline(Recurrent("gru"), CIRCLE, TINY)
