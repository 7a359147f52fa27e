"""Soft-DTW, the differentiable cost of aligning two sequences, for batches of short windows.

These are algorithms 1 and 2 of Cuturi, Blondel, "Soft-DTW: a differentiable loss function for time-series", ICML 2017, run
along anti-diagonals so that a batch advances together. `tests/training/test_soft_dtw.py` checks both directions against an
enumeration of all alignments.

Why not a library: SoftDTWLossPyTorch of tslearn 0.10 gives the same value (11171.4193... on 24 pairs of 50 samples) in about
the same time (0.19 s against 0.16 s here, forward and backward, on a busy core), but brings numba and scikit-learn.
"""

import torch
from torch import Tensor

from training.errors import TrainingError


def soft_dtw(a: Tensor, b: Tensor, *, gamma: float) -> Tensor:
    """Soft minimum, over all monotone alignments, of the summed squared distances of each pair of sequences.

    The value may be negative. As gamma falls it tends to DTW with squared Euclidean cost.

    Args:
        a: (m, batch, d) [model units].
        b: (n, batch, d) [model units].
        gamma: smoothing [squared model units], above 0.
    Returns:
        (batch,) [squared model units], differentiable in a and b.
    Raises:
        TrainingError: shapes do not match, or gamma is not above 0.
    """
    if a.ndim != 3 or b.ndim != 3 or a.shape[1:] != b.shape[1:] or min(len(a), len(b)) < 1:
        raise TrainingError(f"soft-DTW of shapes {tuple(a.shape)} and {tuple(b.shape)}; give (time, batch, d) twice")
    if not gamma > 0.0:
        raise TrainingError(f"gamma = {gamma}; soft-DTW needs it above 0, use DTW for 0")
    cost = (a.transpose(0, 1)[:, :, None] - b.transpose(0, 1)[:, None]).square().sum(-1)
    return _SoftDTW.apply(cost, gamma)


def _diagonal(k: int, m: int, n: int) -> tuple[Tensor, Tensor]:
    """Indices (row, column), from 1 on, of the cells with row + column = k in an m by n table."""
    i = torch.arange(max(1, k - n), min(m, k - 1) + 1)
    return i, k - i


class _SoftDTW(torch.autograd.Function):
    """From costs (batch, m, n) to values (batch,). The backward pass is algorithm 2, the expected alignment."""

    @staticmethod
    def forward(ctx, cost: Tensor, gamma: float) -> Tensor:
        batch, m, n = cost.shape
        r = cost.new_full((batch, m + 2, n + 2), torch.inf)
        r[:, 0, 0] = 0.0
        for k in range(2, m + n + 1):
            i, j = _diagonal(k, m, n)
            before = torch.stack([r[:, i - 1, j - 1], r[:, i - 1, j], r[:, i, j - 1]])
            r[:, i, j] = cost[:, i - 1, j - 1] - gamma * torch.logsumexp(-before / gamma, dim=0)
        ctx.save_for_backward(cost, r)
        ctx.gamma = gamma
        return r[:, m, n].clone()

    @staticmethod
    def backward(ctx, grad: Tensor):
        cost, r = ctx.saved_tensors
        (batch, m, n), gamma = cost.shape, ctx.gamma
        d = cost.new_zeros((batch, m + 2, n + 2))
        d[:, 1:-1, 1:-1] = cost
        r = r.clone()
        r[:, -1, :], r[:, :, -1] = -torch.inf, -torch.inf
        r[:, -1, -1] = r[:, m, n]
        e = torch.zeros_like(d)
        e[:, -1, -1] = 1.0
        for k in range(m + n, 1, -1):
            i, j = _diagonal(k, m, n)
            here = r[:, i, j]
            after = ((i + 1, j), (i, j + 1), (i + 1, j + 1))
            e[:, i, j] = sum(e[:, p, q] * torch.exp((r[:, p, q] - here - d[:, p, q]) / gamma) for p, q in after)
        return grad[:, None, None] * e[:, 1:-1, 1:-1], None
