"""Training a network of twins: discretise, then differentiate; Adam on all weights.

Sequences are trained whole (BPTT). A long series is trained on windows from random places: a burn-in without gradient brings
the nodes into the state that the series has them in, then a window with gradient follows (truncated BPTT).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.errors import TaskError
from training.networks.network import DeviceNetwork, Physical
from training.twins.fits.base import Descent, Progress, descend

Loss = Callable[[Tensor, Tensor], Tensor]
SERIES = Descent(steps=4000, batch=32, learning_rate=2e-2)
SEQUENCES = Descent(steps=1000, batch=128, learning_rate=5e-3)


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Of a series."""

    burn_in: int = 20  # steps without gradient
    length: int = 20  # steps with gradient


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error of every step."""
    return (outputs - targets).square().mean()


def class_at_the_end(outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the outputs (batch, steps, classes) at the last step with labels (batch,)."""
    return nn.functional.cross_entropy(outputs[:, -1], labels)


def train_on_series(network: DeviceNetwork, inputs: Tensor, targets: Tensor, descent: Descent = SERIES,
                    windows: Windows | None = None, *, progress: Progress | None = None) -> float:
    """Truncated BPTT by the mean squared error.

    Args:
        inputs: (rows, n_in).
        targets: (rows, n_out); row k is compared with the output after the step that row k of the inputs drives.
    Raises:
        TaskError: the series is shorter than burn-in and window.
    """
    windows = windows or Windows()
    span = windows.burn_in + windows.length
    if len(inputs) < span or len(inputs) != len(targets):
        raise TaskError(f"a series of {len(inputs)} inputs and {len(targets)} targets for windows of {span} steps; give as "
                        "many of both, at least a window")
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        rows = torch.randint(0, len(inputs) - span + 1, (descent.batch,), generator=draw)[:, None] + torch.arange(span)
        with torch.no_grad():
            states = network.start(descent.batch, draw)
            if windows.burn_in:
                _, states = network.features(inputs[rows[:, : windows.burn_in]], states, draw)
        rows = rows[:, windows.burn_in :]
        outputs, _ = network(inputs[rows], draw, states)
        return squared(outputs, targets[rows])

    return descend(network.trained(), loss, descent, "network", progress)


def train_on_sequences(network: DeviceNetwork, inputs: Tensor | Callable[[Tensor, torch.Generator], Tensor], targets: Tensor,
                       descent: Descent = SEQUENCES, loss_of: Loss = class_at_the_end, *, physical: Physical | None = None,
                       progress: Progress | None = None) -> float:
    """BPTT over whole sequences.

    Args:
        inputs: (sequences, steps, n_in), or a function that makes the batch of some indices, with draws of its own.
        targets: (sequences, ...), as the loss takes them.
        physical: run every batch on these devices too, forward there and backward through the twins (physics-aware training,
            Wright et al., Nature 601, 549 (2022)).
    """
    draw = torch.Generator().manual_seed(descent.seed)
    count = 0

    def loss():
        nonlocal count
        chosen = torch.randint(0, len(targets), (descent.batch,), generator=draw)
        batch = inputs(chosen, draw) if callable(inputs) else inputs[chosen]
        if physical is None:
            outputs, _ = network(batch, draw)
        else:
            outputs = network.along(batch, physical(network, batch, count))
            count += 1
        return loss_of(outputs, targets[chosen])

    return descend(network.trained(), loss, descent, "network", progress)


@torch.no_grad()
def fit_readout(network: DeviceNetwork, features: Tensor, targets: Tensor, ridge: float = 1e-3) -> None:
    """Set the readout to the ridge regression of targets (rows, n_out) on features (rows, n_features).

    Args:
        ridge: weight of the penalty per row, in units of the features' mean square.
    """
    x = torch.cat([features, torch.ones_like(features[:, :1])], dim=1).double()
    penalty = ridge * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    penalty[-1, -1] = 0.0
    found = torch.linalg.solve(x.T @ x + penalty, x.T @ targets.double())
    network.readout.weight.copy_(found[:-1].T)
    network.readout.bias.copy_(found[-1])


def fit_classes(network: DeviceNetwork, features: Tensor, labels: Tensor, descent: Descent = SEQUENCES) -> float:
    """Train the readout alone, by cross entropy, on features (rows, n_features) of known classes (rows,)."""
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        chosen = torch.randint(0, len(labels), (descent.batch,), generator=draw)
        return nn.functional.cross_entropy(network.readout(features[chosen]), labels[chosen])

    return descend(network.readout.parameters(), loss, descent, "readout")
