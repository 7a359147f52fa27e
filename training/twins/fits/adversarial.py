"""The noise of a neural SDE by an adversary: a WGAN with gradient penalty, and the moments of paths as fixed features.

Arjovsky et al., ICML 2017, and Gulrajani et al., NeurIPS 2017. The critic sees a path, its changes and its inputs. The moments
(mean and standard deviation of each row, covariance of each row and the next) are compared between the repeats of a sequence;
they hold the twin while the critic is still learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from training.errors import RecordingError
from training.twins.fits.base import Descent, Progress, Samples, descend, free_run
from training.twins.fits.likelihood import noise_parameters
from training.twins.sde import SDETwin


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """The critic and what it is trained with."""

    width: int = 48  # neurons of each of two hidden layers
    learning_rate: float = 1e-3
    updates: int = 3  # of the critic per step of the twin
    penalty: float = 10.0  # weight of the gradient penalty
    moments: float = 10.0  # weight of the moments beside the critic
    members: int = 16  # repeats per sequence


GAN = Descent(steps=400, batch=16, learning_rate=5e-3)


def fit_adversarial(twin: SDETwin, samples: Samples, descent: Descent = GAN, adversary: Adversary | None = None, *,
                    drift: bool = False, progress: Progress | None = None) -> float:
    """Play the twin against a critic; the recording needs repeats, two or more.

    Returns:
        Mean loss of the twin at the end; its size says little.
    """
    adversary = adversary or Adversary()
    draw = torch.Generator().manual_seed(descent.seed)
    members = min(adversary.members, samples.x.shape[1])
    if members < 2:
        raise RecordingError("an adversary compares repeats of a sequence, and the recording has one; record repeats, or fit "
                             "by the likelihood, which needs none")
    rows = samples.x.shape[2] - samples.first
    size = (2 * rows - 1) * twin.n_outputs + (rows - 1) * twin.n_inputs
    critic = _critic(size, adversary.width, draw)
    judge = torch.optim.Adam(critic.parameters(), lr=adversary.learning_rate, betas=(0.5, 0.9))

    def pair() -> tuple[Tensor, Tensor, Tensor]:
        x, s = samples.groups(descent.batch, members, draw)
        s = s[:, None].expand(-1, members, -1, -1)
        return free_run(twin, x, s, samples.first, draw), x[:, :, samples.first :], s[:, :, samples.first :]

    def seen(path: Tensor, s: Tensor) -> Tensor:
        return torch.cat([path.flatten(2), 4.0 * path.diff(dim=2).flatten(2), s.flatten(2)], dim=-1).flatten(0, 1)

    def teach() -> None:
        with torch.no_grad():
            run, truth, s = pair()
            false, true = seen(run, s), seen(truth, s)
        between = true + torch.rand(len(true), 1, generator=draw, dtype=true.dtype) * (false - true)
        between.requires_grad_()
        slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0].norm(dim=-1)
        loss = critic(false).mean() - critic(true).mean() + adversary.penalty * (slope - 1.0).square().mean()
        judge.zero_grad()
        loss.backward()
        judge.step()

    def loss() -> Tensor:
        for _ in range(adversary.updates):
            teach()
        run, truth, s = pair()
        return -critic(seen(run, s)).mean() + adversary.moments * moment_distance(run, truth)

    return descend(twin.parameters() if drift else noise_parameters(twin), loss, descent, "adversary", progress)


def moment_distance(run: Tensor, truth: Tensor) -> Tensor:
    """Squared differences of the moments of paths (groups, members, rows, n), averaged."""
    far = [(a - b).square().mean() for a, b in zip(_moments(run), _moments(truth), strict=True)]
    return torch.stack(far).sum()


def _moments(paths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    away = paths - paths.mean(1, keepdim=True)
    spread = (away.square().mean(1) + 1e-8).sqrt()
    following = (away[:, :, 1:] * away[:, :, :-1]).mean(1)
    return paths.mean(1), spread, following.sign() * (following.abs() + 1e-8).sqrt()


def _critic(size: int, width: int, draw: torch.Generator) -> nn.Sequential:
    widths = [size, width, width, 1]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layer = nn.Linear(fan_in, fan_out, dtype=torch.float64)
        with torch.no_grad():
            for p in (layer.weight, layer.bias):
                p.copy_((2.0 * torch.rand(p.shape, generator=draw, dtype=torch.float64) - 1.0) / fan_in**0.5)
        layers += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])
