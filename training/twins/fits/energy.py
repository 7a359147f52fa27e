"""The noise of a neural SDE by the energy score of whole paths; for devices of several branches too.

The score is E|X - Y| - E|X - X'| / 2 of the twin's paths X against the device's Y under the same inputs; it is least where both
have the same distribution (Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359 (2007)). Distances are taken of the path and of
its changes, so that correlation over time counts as well as the spread.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.twins.fits.base import Descent, Progress, Samples, descend, free_run
from training.twins.fits.likelihood import noise_parameters
from training.twins.sde import SDETwin

ENERGY = Descent(steps=500, batch=24, learning_rate=1e-2)
MEMBERS = 12  # paths of the twin, and repeats of the device, per sequence


def fit_energy(twin: SDETwin, samples: Samples, descent: Descent = ENERGY, *, drift: bool = False,
               progress: Progress | None = None) -> float:
    """Minimise the energy score; recordings of one repeat will do.

    Args:
        drift: move f as well.
    Returns:
        The score, normalised units.
    """
    draw = torch.Generator().manual_seed(descent.seed)
    members = min(MEMBERS, samples.x.shape[1])

    def loss():
        x, s = samples.groups(descent.batch, members, draw)
        starts = x[:, torch.arange(MEMBERS) % members]  # the twin starts where the device did
        run = free_run(twin, starts, s[:, None].expand(-1, MEMBERS, -1, -1), samples.first, draw)
        truth = x[:, :, samples.first :]
        return energy_score(run, truth) + energy_score(run.diff(dim=2), truth.diff(dim=2))

    return descend(twin.parameters() if drift else noise_parameters(twin), loss, descent, "energy score", progress)


def energy_score(run: Tensor, truth: Tensor) -> Tensor:
    """Mean score of paths (groups, members, rows, n) against (groups, repeats, rows, n)."""
    x, y = run.flatten(2), truth.flatten(2)
    count = x.shape[1]
    among = _distances(x, x).sum((1, 2)) / (count * (count - 1))
    return (_distances(x, y).mean((1, 2)) - 0.5 * among).mean() / x.shape[2] ** 0.5


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return ((x[:, :, None] - y[:, None]).square().sum(-1) + 1e-12).sqrt()
