"""From a network that was trained in torch to one that can be compiled, and back: what its layers show on the deck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.squash import squash
from cosim.compiler.options import Options
from cosim.devices.network_deck import compile_network_deck
from cosim.devices.network_runs import run_network
from cosim.devices.trained import DeviceLayer, TrainedNetwork
from cosim.errors import MappingError
from training.networks.network import DeviceNetwork

Z = np.linspace(-10.0, 10.0, 401)
SAME = 1e-3  # V, between the h that a layer was trained with and the deck's


def trained_network(network: DeviceNetwork, devices: Sequence[DeckDevice], *, input_limit: float,
                    output_limit: float) -> TrainedNetwork:
    """Weights of a network of twins, and the devices that stand for the twins.

    Args:
        network: a :class:`training.networks.network.DeviceNetwork`; its twins' units are volts.
        devices: one per layer; more than there are layers are left over, so that a part of a network is compiled as well.
        input_limit, output_limit: see :class:`cosim.devices.trained.TrainedNetwork`.
    Raises:
        MappingError: too few devices, a twin of another step time or input range than its device, a layer that squashes
            otherwise than the deck does, or weights that do not fit together.
    """
    if len(devices) < len(network.layers):
        raise MappingError(f"{len(devices)} devices for {len(network.layers)} layers; give one per layer")
    layers = []
    for number, (layer, device) in enumerate(zip(network.layers, devices, strict=False), 1):
        if abs(layer.twin.step_time - device.step_time) > 1e-9 * device.step_time:
            raise MappingError(f"layer {number}: the twin takes steps of {layer.twin.step_time:g} s, device {device.name} of "
                               f"{device.step_time:g} s; record the device and fit the twin again")
        if not np.allclose(layer.twin.input_range, device.input_range, rtol=0, atol=1e-6):
            low, high = layer.twin.input_range
            raise MappingError(f"layer {number}: the twin's inputs are {low:g} to {high:g}, those of device {device.name} "
                               f"{device.input_range[0]:g} to {device.input_range[1]:g} V; record the device over its range")
        apart = np.abs(layer.squashed(torch.from_numpy(Z).to(layer.weight.dtype)).detach().numpy() - squash(Z)).max()
        if apart > SAME:
            raise MappingError(f"layer {number}: its h(z) is up to {apart:.2g} V from the deck's soft limiter; train it with "
                               "Layer(..., squash=circuits.dynamic.squash.squash_table())")
        layers.append(DeviceLayer(theta=_theta(layer), device=device, mean=layer.twin.x_mean.item(),
                                  std=layer.twin.x_std.item()))
    return TrainedNetwork(layers=tuple(layers), readout=_theta(network.readout), input_limit=input_limit,
                          output_limit=output_limit)


def physical_deck(devices: Sequence[DeckDevice], *, input_limit: float, output_limit: float, options: Options | None = None,
                  coupling: str = "held", workers: int | None = None) -> Callable[[DeviceNetwork, Tensor, int], list[Tensor]]:
    """The deck as training asks for a physical network: (network, inputs (batch, steps, n_in), seed) to every layer's
    observables (batch, steps + 1, nodes, 1) [V]. It is compiled anew at every call, since weights change between them."""

    def physical(network: DeviceNetwork, inputs: Tensor, seed: int) -> list[Tensor]:
        trained = trained_network(network, devices, input_limit=input_limit, output_limit=output_limit)
        compiled = compile_network_deck(trained, options, coupling=coupling)
        _, observed = run_network(compiled, inputs.detach().double().numpy(), seed=seed, workers=workers)
        return [torch.from_numpy(x)[..., None] for x in observed]

    return physical


def _theta(layer: nn.Module) -> np.ndarray:
    return torch.cat([layer.weight, layer.bias[:, None]], dim=1).detach().double().numpy()
