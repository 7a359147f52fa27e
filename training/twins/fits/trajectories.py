"""The deterministic part: one step ahead first, then free runs over whole sequences, both by the mean squared error."""

from __future__ import annotations

import torch

from training.twins.fits.base import Descent, Progress, Samples, descend, free_run
from training.twins.ode import ODETwin
from training.twins.twin import Twin

ONE_STEP = Descent(steps=200, batch=64, learning_rate=1e-2)
FREE_RUNS = Descent(steps=600, batch=64, learning_rate=1e-2)


@torch.no_grad()
def start_linear(twin: ODETwin, samples: Samples) -> None:
    """Set the linear part of f to the least-squares fit of one step, solved for the derivative."""
    x, s = samples.x[:, :, samples.first :], samples.s[:, None, samples.first :].expand(-1, samples.x.shape[1], -1, -1)
    y = twin.histories(samples.x)[:, :, samples.first : -1]
    z = torch.cat([y, s, torch.ones_like(s[..., :1])], dim=-1).flatten(0, 2)
    moves = (x[:, :, 1:] - x[:, :, :-1]).flatten(0, 2)
    # A little ridge: a delayed value that repeats another adds nothing, rather than a huge difference of two coefficients.
    gram = z.T @ z + 1e-6 * len(z) * torch.eye(z.shape[1], dtype=z.dtype)
    found = torch.linalg.solve(gram, z.T @ moves)
    own = torch.arange(twin.n_outputs)
    change = found[own, own].clamp(-0.95, 10.0)
    scale = torch.where(change.abs() < 1e-6, torch.ones_like(change), torch.log1p(change) / change)
    twin.field.linear.copy_(found[:-1] * scale)
    twin.field.offset.copy_(found[-1] * scale)


def fit_one_step(twin: ODETwin, samples: Samples, descent: Descent = ONE_STEP, progress: Progress | None = None) -> float:
    """Fit f to each step from the recorded row before it; returns the mean squared error, normalised units."""
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        x, s = samples.paths(descent.batch, draw)
        y = twin.histories(x)[:, samples.first : -1]
        return (twin.flow(y, s[:, samples.first :], 1.0)[0] - x[:, samples.first + 1 :]).square().mean()

    start_linear(twin, samples)
    return descend(twin.field.parameters(), loss, descent, "one step", progress)


def fit_trajectories(twin: Twin, samples: Samples, descent: Descent = FREE_RUNS, progress: Progress | None = None) -> float:
    """Fit whole free runs to the recorded paths; returns the mean squared error, normalised units.

    Noise of the device adds its variance to the error and moves nothing, as long as the device has one branch: of a bistable
    device this finds the path between its branches, which it never takes. Fit such a device by one step and then by a
    likelihood or an energy score.
    """
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        x, s = samples.paths(descent.batch, draw)
        return (free_run(twin, x, s, samples.first, draw) - x[:, samples.first :]).square().mean()

    return descend(twin.parameters(), loss, descent, "free runs", progress)
