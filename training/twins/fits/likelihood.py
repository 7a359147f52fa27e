"""The noise of a neural SDE by the exact likelihood of the recorded paths; the default."""

from __future__ import annotations

import torch

from training.twins.fits.base import Descent, Progress, Samples, descend
from training.twins.kalman import log_likelihood
from training.twins.sde import SDETwin

KALMAN = Descent(steps=600, batch=64, learning_rate=1e-2)


def fit_likelihood(twin: SDETwin, samples: Samples, descent: Descent = KALMAN, *, drift: bool = False,
                   progress: Progress | None = None) -> float:
    """Maximise the likelihood over g_1, g_a, A and tau.

    Args:
        drift: move f as well. It needs no free runs then, so a device of two branches can be fitted.
    Returns:
        Mean negative log likelihood per step and observable, natural logarithm in normalised units.
    """
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        x, s = samples.paths(descent.batch, draw)
        return -log_likelihood(twin, x, s, samples.first).mean() / ((x.shape[1] - 1 - samples.first) * twin.n_outputs)

    return descend(twin.parameters() if drift else noise_parameters(twin), loss, descent, "likelihood", progress)


def noise_parameters(twin: SDETwin) -> list[torch.nn.Parameter]:
    """All but f's."""
    return [*twin.noise.parameters(), twin.mix, twin.log_tau]
