"""Training layer by layer on what the devices show, so that the mismatch of twin and device stays within a layer.

Layer 1 is trained with a readout of its own, then run on the devices; layer 2 is trained on the activities that were measured
there, and so on. At the end the readout is fitted to the measured activities of the last layer.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.networks.network import DeviceNetwork, Physical

Train = Callable[[DeviceNetwork, Tensor], object]
Readout = Callable[[DeviceNetwork, Tensor], object]


def cascade(network: DeviceNetwork, inputs: Tensor, physical: Physical, train: Train, readout: Readout, *,
            seed: int = 0) -> None:
    """Train the layers of a network in order, each on the measured activities of those before it.

    Args:
        inputs: (batch, steps, n_in) of the network, on which the devices are run.
        physical: runs the first layers of a network on devices.
        train: called as train(part, inputs (batch, steps, features)) for a network of one layer and a readout.
        readout: called as readout(network, features (batch, steps, n_features)), measured on the last layer.
        seed: of the devices' noise; every layer's run has noise of its own.
    """
    n_out, measured = network.readout.out_features, inputs
    for k, layer in enumerate(network.layers):
        train(DeviceNetwork([layer], n_out), measured)  # the layer's own weights are trained in place
        part = DeviceNetwork(list(network.layers[: k + 1]), n_out)
        with torch.no_grad():
            measured = layer.shown(physical(part, inputs, seed + k)[k])
    readout(network, measured)
