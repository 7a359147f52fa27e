"""Functions of affine tensors, entry by entry, as ReLU neurons over the range that each entry sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cosim.problem.lowering.basis import AffineTensor, Basis
from cosim.problem.lowering.knots import GRID, piecewise_linear
from cosim.problem.lowering.program import DTYPE


def grid(seen: Tensor) -> np.ndarray:
    """(GRID, *shape) numbers from the least to the largest of the samples (m, *shape) of each entry."""
    return np.linspace(seen.amin(0).numpy(), seen.amax(0).numpy(), GRID)


def broadcast_rows(rows: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Rows or samples (n, *shape of a value) for a shape that the value is broadcast to, (n, *shape)."""
    return rows.reshape(len(rows), *(1,) * (len(shape) - rows.ndim + 1), *rows.shape[1:]).broadcast_to(len(rows), *shape)


def in_pieces(value: AffineTensor, x: np.ndarray, y: np.ndarray, tolerance: float, basis: Basis) -> AffineTensor:
    """A function of every entry, given by points.

    Args:
        x: (m, *shape) numbers of the entry, ascending; y: (m, *shape) the function there.
        tolerance: part of the range of y, of each entry.
    Raises:
        UnsupportedModelError: the function is not finite there.
    """
    rows = value.widened(1 + len(basis)).reshape(1 + len(basis), -1)
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    parts = [piecewise_linear(x[:, k], y[:, k], tolerance * float(np.ptp(y[:, k]))) for k in range(x.shape[1])]
    entries = np.repeat(np.arange(len(parts)), [len(part.knots) for part in parts])
    knots = torch.from_numpy(np.concatenate([part.knots for part in parts]))
    slopes = torch.from_numpy(np.concatenate([part.slopes for part in parts]))
    moved = rows[:, entries].clone()
    moved[0] -= knots
    neurons = basis.relu(AffineTensor(rows=moved)).rows
    made = torch.zeros((len(neurons), len(parts)), dtype=DTYPE)
    made.index_add_(1, torch.from_numpy(entries), neurons * slopes)
    made[0] += torch.tensor([part.constant for part in parts], dtype=DTYPE)
    return AffineTensor(rows=made.reshape(-1, *value.shape))
