"""What a network of devices is compared with on the same split."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import TaskError
from training.networks.layer import Layer
from training.networks.network import DeviceNetwork
from training.twins.fits.base import Descent, descend


def linear_of_delays(inputs: Tensor, targets: Tensor, taps: int = 30) -> Callable[[Tensor], Tensor]:
    """A linear model of the last `taps` inputs, by least squares.

    Args:
        inputs: (rows, n_in).
        targets: (rows, n_out).
    Returns:
        predict(inputs (rows, n_in)) gives (rows - taps + 1, n_out), from row taps - 1 on.
    Raises:
        TaskError: fewer rows than twice the coefficients.
    """
    if taps < 1 or len(inputs) < 2 * (taps * inputs.shape[1] + 1):
        raise TaskError(f"{len(inputs)} rows for {taps} taps of {inputs.shape[1]} inputs; give twice as many rows as "
                        "coefficients")

    def shown(z: Tensor) -> np.ndarray:
        windows = z.double().unfold(0, taps, 1).flatten(1).numpy()
        return np.concatenate([windows, np.ones((len(windows), 1))], axis=1)

    weights = np.linalg.lstsq(shown(inputs), targets[taps - 1 :].double().numpy(), rcond=None)[0]
    return lambda z: torch.from_numpy(shown(z) @ weights).to(z.dtype)


@torch.no_grad()
def reservoir_of(network: DeviceNetwork, *, seed: int = 0) -> DeviceNetwork:
    """An untrained network of the same size and twins: its weights are the trained ones, permuted at random within a layer.

    So they have exactly the trained distribution, and nothing of what was learnt. The readout is zero: fit it.
    """
    draw = torch.Generator().manual_seed(seed)
    layers = []
    for k, trained in enumerate(network.layers):
        layer = Layer(trained.twin, trained.n_in, trained.nodes, seed=seed + k, dtype=trained.weight.dtype,
                      squash=trained.squash)
        for ours, theirs in zip(layer.trained(), trained.trained(), strict=True):
            ours.copy_(theirs.flatten()[torch.randperm(theirs.numel(), generator=draw)].view_as(theirs))
        layers.append(layer)
    return DeviceNetwork(layers, network.readout.out_features)


class StaticMLP(nn.Module):
    """A multilayer perceptron without memory, ReLU: (batch, steps, n_in) to (batch, steps, n_out), step by step.

    Args:
        widths: inputs, hidden layers, outputs.
        seed: of the weights, torch's default distribution.
    """

    def __init__(self, widths: tuple[int, ...], *, seed: int = 0, dtype: torch.dtype = torch.float32):
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(_linear(a, b, draw, dtype) for a, b in pairwise(widths))

    def forward(self, inputs: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            inputs = torch.relu(layer(inputs))
        return self.layers[-1](inputs)


class LeakyMLP(StaticMLP):
    """The same with a leaky integrator behind each hidden neuron: r <- (1 - g) r + g tanh(z); each leak g is learnt."""

    def __init__(self, widths: tuple[int, ...], *, seed: int = 0, dtype: torch.dtype = torch.float32):
        super().__init__(widths, seed=seed, dtype=dtype)
        self.leaks = nn.ParameterList(nn.Parameter(torch.zeros(width, dtype=dtype)) for width in widths[1:-1])

    def forward(self, inputs: Tensor) -> Tensor:
        for layer, leak in zip(self.layers[:-1], self.leaks, strict=True):
            z, gain = torch.tanh(layer(inputs)), torch.sigmoid(leak)
            r, rows = z.new_zeros(z.shape[0], z.shape[2]), []
            for k in range(z.shape[1]):
                r = r + gain * (z[:, k] - r)
                rows.append(r)
            inputs = torch.stack(rows, dim=1)
        return self.layers[-1](inputs)


def train_plain(model: nn.Module, inputs: Tensor | Callable[[Tensor, torch.Generator], Tensor], targets: Tensor,
                loss_of: Callable[[Tensor, Tensor], Tensor], descent: Descent) -> float:
    """Train a baseline as `training.networks.train.train_on_sequences` trains a network of twins."""
    draw = torch.Generator().manual_seed(descent.seed)

    def loss():
        chosen = torch.randint(0, len(targets), (descent.batch,), generator=draw)
        return loss_of(model(inputs(chosen, draw) if callable(inputs) else inputs[chosen]), targets[chosen])

    return descend(model.parameters(), loss, descent, type(model).__name__)


class NoisyLayer(Layer):
    """A layer of deterministic twins whose features carry white noise of one size: the simplest account of noise.

    Args:
        noise: standard deviation of the noise on a feature, in standard deviations of the observable.
        others: as for Layer.
    """

    def __init__(self, *args, noise: float, **options):
        super().__init__(*args, **options)
        if not noise >= 0.0:
            raise TaskError(f"noise = {noise}; give 0 or more")
        self.noise = noise

    def forward(self, features, state, draw):
        shown, state = super().forward(features, state, draw)
        return shown + self.noise * torch.randn(shown.shape, generator=draw, dtype=shown.dtype), state


def _linear(fan_in: int, fan_out: int, draw: torch.Generator, dtype: torch.dtype) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out, dtype=dtype)
    with torch.no_grad():
        for p in (layer.weight, layer.bias):
            p.copy_(((2.0 * torch.rand(p.shape, generator=draw) - 1.0) / math.sqrt(fan_in)).to(dtype))
    return layer
