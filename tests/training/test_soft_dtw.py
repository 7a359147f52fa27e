"""Soft-DTW against the definition: every monotone alignment, one by one."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from training.errors import TrainingError
from training.soft_dtw import soft_dtw


def alignment_costs(cost: np.ndarray) -> list[float]:
    """The summed cost of every path of steps (1, 0), (0, 1), (1, 1) from corner to corner."""
    m, n = cost.shape

    def walk(i, j, spent):
        spent += cost[i, j]
        if (i, j) == (m - 1, n - 1):
            return [spent]
        ahead = ((i + 1, j), (i, j + 1), (i + 1, j + 1))
        return [total for p, q in ahead if p < m and q < n for total in walk(p, q, spent)]

    return walk(0, 0, 0.0)


@pytest.fixture
def pair():
    draw = torch.Generator().manual_seed(3)
    a, b = (torch.randn(n, 3, 2, generator=draw, dtype=torch.float64) for n in (4, 5))
    return a.requires_grad_(), b


@pytest.mark.parametrize("gamma", [1e-3, 0.5, 10.0])
def test_value_against_all_alignments(pair, gamma):
    a, b = pair
    found = soft_dtw(a, b, gamma=gamma).detach().numpy()
    for k in range(3):
        cost = ((a[:, None, k] - b[None, :, k]) ** 2).sum(-1).detach().numpy()
        totals = np.array(alignment_costs(cost))
        expected = totals.min() - gamma * np.log(np.exp(-(totals - totals.min()) / gamma).sum())
        assert_allclose(found[k], expected, rtol=1e-10, atol=1e-10)


def test_gradient(pair):
    a, b = pair
    assert torch.autograd.gradcheck(lambda x: soft_dtw(x, b, gamma=0.7), (a,))


def test_small_gamma_forgives_a_delay():
    t = torch.linspace(0.0, 6.0, 40, dtype=torch.float64)
    wave, late = torch.sin(t)[:, None, None], torch.sin(t - 0.3)[:, None, None]
    assert soft_dtw(wave, late, gamma=1e-6).item() < 0.2 * (wave - late).square().sum().item()


def test_refusals(pair):
    a, b = pair
    with pytest.raises(TrainingError, match="gamma"):
        soft_dtw(a, b, gamma=0.0)
    with pytest.raises(TrainingError, match="time, batch, d"):
        soft_dtw(a, b[:, :2], gamma=1.0)
