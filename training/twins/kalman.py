"""The likelihood of observed paths under a neural SDE, exact for its step.

The observables are known at every row, so given them the auxiliaries are linear and Gaussian. A Kalman filter over the
auxiliaries gives the density of each row given those before it (Kalman, J. Basic Eng. 82, 35 (1960)); no repeats are needed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.twins.sde import SDETwin


def log_likelihood(twin: SDETwin, x: Tensor, s: Tensor, first: int = 0) -> Tensor:
    """Log density of observed paths, given their rows up to `first`.

    Args:
        x: (paths, steps + 1, n_outputs) normalised observables.
        s: (paths, steps, n_inputs) normalised inputs.
        first: row at which the auxiliaries have their resting distribution.
    Returns:
        (paths,) natural logarithm, in normalised units.
    """
    y = twin.histories(x)[:, first:-1]
    t = twin.transition(y, s[:, first:], 1.0)
    residual = x[:, first + 1 :] - t.moved
    n, m = twin.n_outputs, twin.n_auxiliaries
    noise = torch.diag_embed(t.own) + t.through.reshape(*t.moved.shape, n)
    fade = t.decay[:, None] * t.decay  # (m, m)
    mean = x.new_zeros(len(x), m)
    variance = torch.diag_embed(twin.resting_variance(y[:, 0]))
    total = x.new_zeros(len(x))
    for k in range(residual.shape[1]):
        c = t.coupling[:, k]
        spread = c @ variance  # (paths, n, m)
        error = residual[:, k] - (c @ mean[..., None])[..., 0]
        innovation = spread @ c.transpose(1, 2) + noise[:, k]
        cross = spread * t.decay + t.shared[:, k]  # covariance of x and the next a
        if n == 1:
            power = innovation[:, 0, 0]
            gained = error / power[:, None]
            total = total - 0.5 * (error[:, 0] * gained[:, 0] + power.log())
            update = cross / power[:, None, None]
        else:
            factor = torch.linalg.cholesky(innovation)
            both = torch.cholesky_solve(torch.cat([error[..., None], cross], dim=-1), factor)
            gained, update = both[..., 0], both[..., 1:]
            total = total - 0.5 * (error * gained).sum(-1) - factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        mean = t.decay * mean + (cross * gained[..., None]).sum(-2)
        variance = fade * variance + torch.diag_embed(t.auxiliary[:, k]) - cross.transpose(1, 2) @ update
    return total - 0.5 * n * residual.shape[1] * math.log(2.0 * math.pi)
