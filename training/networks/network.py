"""A multilayer perceptron of devices, o = theta z_L, and what it is on other devices than its twins.

All nodes take a step at a time. Within a step a layer is driven by what the layer before it shows after that step. On devices
this is a sample-and-hold between layers: layer l + 1 runs one step behind layer l, so that the output is the same sequence,
as many steps later as there are layers before the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import ModelError
from training.networks.layer import Layer
from training.twins.twin import State

Physical = Callable[["DeviceNetwork", Tensor, int], list[Tensor]]
"""A network on devices: called as physical(network, inputs (batch, steps, n_in), seed), gives for every layer the observables
(batch, steps + 1, nodes, n_outputs) [device units]."""


class Device(Protocol):
    """Anything that is driven and observed: a twin, an equation, a deck."""

    def run(self, inputs: np.ndarray, *, repeats: int = 1, seed: int = 0) -> np.ndarray:
        """(sequences, steps, n_inputs) to (sequences, repeats, steps + 1, n_outputs), device units."""
        ...


class DeviceNetwork(nn.Module):
    """Layers and a linear readout of the last one.

    Args:
        layers: in order.
        n_out: outputs.
    Raises:
        ModelError: no layer, or one that does not take what the layer before it shows.
    """

    def __init__(self, layers: Sequence[Layer], n_out: int):
        super().__init__()
        for before, after in pairwise(layers):
            if after.n_in != before.n_features:
                raise ModelError(f"a layer of {after.n_in} inputs follows one of {before.n_features} features")
        if not layers or n_out < 1:
            raise ModelError(f"{len(layers)} layers and {n_out} outputs; give 1 or more of each")
        self.layers = nn.ModuleList(layers)
        self.readout = nn.Linear(layers[-1].n_features, n_out, dtype=layers[0].weight.dtype)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)

    def trained(self) -> list[nn.Parameter]:
        """Weights and biases of all layers and of the readout."""
        return [*(p for layer in self.layers for p in layer.trained()), *self.readout.parameters()]

    def start(self, batch: int, draw: torch.Generator) -> list[State]:
        return [layer.start(batch, draw) for layer in self.layers]

    def features(self, inputs: Tensor, states: list[State], draw: torch.Generator) -> tuple[Tensor, list[State]]:
        """Features of the last layer (batch, steps, n_features), and the states that they end in."""
        ends = []
        for layer, state in zip(self.layers, states, strict=True):
            inputs, end = layer(inputs, state, draw)
            ends.append(end)
        return inputs, ends

    def forward(self, inputs: Tensor, draw: torch.Generator, states: list[State] | None = None) -> tuple[Tensor, list[State]]:
        """Outputs (batch, steps, n_out) for inputs (batch, steps, n_in), and the states at the end."""
        states = self.start(len(inputs), draw) if states is None else states
        shown, states = self.features(inputs, states, draw)
        return self.readout(shown), states

    def along(self, inputs: Tensor, measured: Sequence[Tensor]) -> Tensor:
        """Outputs with the values of measured observables (one tensor a layer) and the gradients of the twins."""
        for layer, x in zip(self.layers, measured, strict=True):
            inputs = layer.along(inputs, x)
        return self.readout(inputs)

    @torch.no_grad()
    def outputs_on(self, physical: Physical, inputs: Tensor, seed: int = 0) -> Tensor:
        """Outputs (batch, steps, n_out) of the same weights on devices."""
        return self.readout(self.layers[-1].shown(physical(self, inputs, seed)[-1]))


def on_devices(devices: Sequence[Device]) -> Physical:
    """A physical network in which each layer's nodes are copies of a device; the twins' own `run` serves too.

    Args:
        devices: one a layer; more than a network has layers are left over, so that a part of it runs as well.
    """

    @torch.no_grad()
    def physical(network: DeviceNetwork, inputs: Tensor, seed: int) -> list[Tensor]:
        if len(devices) < len(network.layers):
            raise ModelError(f"{len(devices)} devices for a network of {len(network.layers)} layers; give one a layer")
        observed = []
        for k, layer in enumerate(network.layers):
            drives = layer.device_inputs(inputs).double().movedim(2, 1)  # (batch, nodes, steps, n_inputs)
            run = devices[k].run(drives.flatten(0, 1).numpy(), seed=seed * 1009 + k)[:, 0]
            x = torch.from_numpy(run).unflatten(0, drives.shape[:2]).movedim(1, 2)
            observed.append(x)
            inputs = layer.shown(x)
        return observed

    return physical
