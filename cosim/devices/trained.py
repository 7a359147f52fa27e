"""A trained network of devices, as the compiler takes it: weights in numpy, the device of every layer, how it is observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.squash import squash
from cosim.errors import MappingError


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceLayer:
    """Weights, then devices: z = theta (features, 1), input h(z) [V], features (x - mean) / std of the observables x [V]."""

    theta: np.ndarray  # (nodes, features + 1), the bias last
    device: DeckDevice
    mean: float  # V, of the observable
    std: float  # V


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """Layers of devices and a linear readout of the last one.

    A layer takes what the layer before it shows after the same step; o = readout (features of the last layer, 1).
    """

    layers: tuple[DeviceLayer, ...]
    readout: np.ndarray  # (outputs, nodes + 1), the bias last
    input_limit: float  # largest |input| that will be given
    output_limit: float  # largest |output| that is expected

    def __post_init__(self) -> None:
        if not self.layers:
            raise MappingError("a network of no layer; give one or more")
        before = self.layers[0].theta.shape[1] - 1
        names = [f"layer {number}" for number in range(1, len(self.layers) + 1)] + ["readout"]
        for name, theta in zip(names, self.thetas, strict=True):
            if theta.ndim != 2 or theta.shape[1] != before + 1 or before < 1:
                raise MappingError(f"{name}: weights of shape {theta.shape}; give (nodes, {before} features and a bias)")
            if not np.isfinite(theta).all():
                place = np.argwhere(~np.isfinite(theta))[0].tolist()
                raise MappingError(f"{name}: a weight is no finite number, first at {place}")
            before = len(theta)
        for layer, name in zip(self.layers, names, strict=False):
            if not (layer.std > 0 and np.isfinite([layer.mean, layer.std]).all()):
                raise MappingError(f"{name}: mean {layer.mean} V, std {layer.std} V; give the observables' own, std above 0")
        if len({layer.device.step_time for layer in self.layers}) > 1:
            raise MappingError(f"layers with steps of {', '.join(f'{x.device.step_time:g}' for x in self.layers)} s; give "
                               "devices of one step time")
        if not (self.input_limit > 0 and self.output_limit > 0):
            raise MappingError(f"limits {self.input_limit} of inputs, {self.output_limit} of outputs; give positive ones")

    @property
    def thetas(self) -> tuple[np.ndarray, ...]:
        """Of all layers, the readout last."""
        return (*(layer.theta for layer in self.layers), self.readout)

    @property
    def n_inputs(self) -> int:
        return self.layers[0].theta.shape[1] - 1

    @property
    def step_time(self) -> float:
        """Seconds."""
        return self.layers[0].device.step_time

    def stepwise(self, inputs: np.ndarray, respond: Callable[[int, np.ndarray], np.ndarray] | None = None) \
            -> tuple[np.ndarray, list[np.ndarray]]:
        """The network as its training has it: values are exchanged once a step, every layer on decks of its own.

        Args:
            inputs: (steps, n_inputs).
            respond: called as respond(layer's number from 0, drives (nodes, steps, 1) [V]); None: the devices without noise.
        Returns:
            Outputs (steps, outputs), and the observables (steps + 1, nodes) [V] of every layer.
        """
        features, observed = np.asarray(inputs, dtype=float), []
        for number, layer in enumerate(self.layers):
            drives = squash(features @ layer.theta[:, :-1].T + layer.theta[:, -1])
            answer = layer.device.respond(drives.T[..., None]) if respond is None else respond(number, drives.T[..., None])
            x = answer[..., 0].T
            observed.append(x)
            features = (x[1:] - layer.mean) / layer.std
        return features @ self.readout[:, :-1].T + self.readout[:, -1], observed
