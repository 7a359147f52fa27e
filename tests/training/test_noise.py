"""Programming noise: levels, spread, conventions."""

import numpy as np
import pytest
import torch

from training.errors import TrainingError
from training.noise import WeightNoise, apply_layers, program


@pytest.fixture
def draw():
    return torch.Generator().manual_seed(5)


def noise(**other):
    """The published array: 64 levels from 20 to 100 uS, 2.2 % mean relative error, or with other figures."""
    return WeightNoise(**{"g_min": 20e-6, "g_max": 100e-6, "levels": 64, "spread": 0.0276} | other)


@pytest.fixture
def layers():
    torch.manual_seed(6)
    return [(torch.randn(4, 2).double(), torch.randn(4).double()), (torch.randn(1, 4).double(), torch.randn(1).double())]


def test_levels_are_equidistant_over_the_window(draw):
    g = noise(levels=5, spread=0.0).conductances(torch.linspace(0, 1, 101, dtype=torch.float64), draw)
    np.testing.assert_allclose(np.unique(np.round(g.numpy(), 12)), [20e-6, 40e-6, 60e-6, 80e-6, 100e-6], rtol=1e-9)


def test_mean_magnitude_of_the_published_error_is_2_2_percent(draw):
    target = torch.zeros(100_000, dtype=torch.float64)
    error = noise().conductances(target, draw) / 20e-6 - 1
    # mean of |N(0, s)| is s sqrt(2/pi); 1e5 draws know it to 0.25 %
    assert error.abs().mean().item() == pytest.approx(0.022, rel=0.015)


def test_gradient_passes_straight_through_the_rounding(draw):
    w = torch.tensor([0.123, 0.7], dtype=torch.float64, requires_grad=True)
    noise(levels=4, spread=0.0).conductances(w, draw).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), [80e-6, 80e-6])


def test_without_spread_and_with_many_levels_the_boards_are_the_network(layers, draw):
    quiet = noise(levels=2**40, spread=0.0)
    scale = [torch.tensor([1.0, 5.0]).double(), torch.tensor(0.3).double()]
    boards = program(layers, scale, quiet, boards=3, draw=draw)
    for (weight, bias), (w, b) in zip(layers, boards, strict=True):
        assert w.shape == (3, *weight.shape)
        torch.testing.assert_close(w, weight.expand_as(w), rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(b, bias.expand_as(b), rtol=1e-9, atol=1e-10)


def test_error_of_a_weight_counts_with_the_range_of_its_input(layers, draw):
    """An input of a hundredth of the range: its weight may be a hundred times as wrong for the same current."""
    weight = torch.tensor([[1.0, 1.0]]).double()
    many = program([(weight, torch.zeros(1).double())], [torch.tensor([1.0, 0.01]).double()], noise(),
                   boards=4000, draw=draw)
    spread = many[0][0].std(dim=0)[0]
    # the small input's devices sit near g_min, the other's g_p at g_max: absolute errors 1 : sqrt(5^2 + 1) / sqrt(2)
    assert (spread[1] / spread[0]).item() == pytest.approx(100 * np.sqrt(2) / np.sqrt(26), rel=0.1)


def test_boards_differ_and_the_seed_repeats_them(layers):
    scale = [torch.ones(2).double(), torch.tensor(1.0).double()]
    one, two = (program(layers, scale, noise(), boards=2, draw=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one[0][0], two[0][0])
    assert not torch.equal(one[0][0][0], one[0][0][1])


def test_apply_layers_is_the_network(layers):
    x = torch.randn(2, 7, 2, dtype=torch.float64)
    boards = [(torch.stack([w, -w]), torch.stack([b, 2 * b])) for w, b in layers]
    got = apply_layers(boards, x)
    (w1, b1), (w2, b2) = layers
    torch.testing.assert_close(got[0], torch.relu(x[0] @ w1.T + b1) @ w2.T + b2)
    torch.testing.assert_close(got[1], torch.relu(x[1] @ -w1.T + 2 * b1) @ -w2.T + 2 * b2)


@pytest.mark.parametrize("bad", [{"g_min": -1e-6}, {"g_min": 1e-4}, {"levels": 1}, {"spread": -0.1}, {"spread": np.nan}])
def test_refuses_nonsense(bad):
    with pytest.raises(TrainingError, match=next(iter(bad))):
        noise(**bad)
