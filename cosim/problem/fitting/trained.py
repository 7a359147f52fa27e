"""A ReLU network trained from random weights on the derivatives of a region: for what cannot be made of pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from cosim.console import Progress
from cosim.problem.fitting.chain import Chain
from training.models.neural_ode import derivative_network, linear_layers
from training.trainer import one_thread

STEPS, BATCH, RATE = 3000, 512, 1e-2  # Adam
POLISH = 300  # iterations of L-BFGS on all points


def train(z: np.ndarray, derivatives: np.ndarray, full_scale: np.ndarray, hidden: Sequence[int], seed: int,
          progress: Progress | None = None) -> Chain:
    """A chain of the given widths, fitted to derivatives by Adam, then by L-BFGS; the same for the same seed.

    Args:
        z: (m, n) points; derivatives: (m, n_states) there; full_scale: (n_states,) of them.
        hidden: neurons of each hidden layer.
        progress: called with (what is being done, part done).
    """
    middle, reach = (z.max(axis=0) + z.min(axis=0)) / 2, np.ptp(z, axis=0) / 2
    reach = np.where(reach > 0, reach, 1.0)
    points, target = torch.from_numpy((z - middle) / reach), torch.from_numpy(derivatives / full_scale)
    net = derivative_network((z.shape[1], *hidden, derivatives.shape[1]), seed=seed)
    label = f"training {'-'.join(map(str, hidden))} neurons"
    with one_thread():
        _adam(net, points, target, seed, label, progress)
        _polish(net, points, target)
    weights, biases = zip(*((layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())
                            for layer in linear_layers(net)), strict=True)
    first = weights[0] / reach
    return Chain(weights=(first, *weights[1:-1], weights[-1] * full_scale[:, None]),
                 biases=(biases[0] - first @ middle, *biases[1:-1], biases[-1] * full_scale))


def _adam(net: nn.Sequential, points: torch.Tensor, target: torch.Tensor, seed: int, label: str,
          progress: Progress | None) -> None:
    draw = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * k / STEPS)))
    for step in range(STEPS):
        chosen = torch.randint(len(points), (BATCH,), generator=draw)
        loss = nn.functional.mse_loss(net(points[chosen]), target[chosen])
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
        if progress is not None and step % 100 == 0:
            progress(label, step / STEPS)


def _polish(net: nn.Sequential, points: torch.Tensor, target: torch.Tensor) -> None:
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=POLISH, history_size=50, line_search_fn="strong_wolfe",
                                  tolerance_grad=1e-12, tolerance_change=1e-14)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(net(points), target)
        loss.backward()
        return loss

    optimiser.step(closure)
