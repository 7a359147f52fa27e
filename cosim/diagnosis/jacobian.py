"""The Jacobian of a network: how a small change of the states changes their derivatives."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from cosim.problem.network import Network

MOST_NUMBERS = 2_000_000  # that are held at a time


def jacobian(network: Network, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
    """d f/d x (m, n_states, n_states) [1/model s] at inputs (m, n_external) and states (m, n_states), model units.

    Exact: a chain of affine layers and ReLUs is linear wherever no neuron is at its knee; there it is taken as off.
    """
    size = max(1, MOST_NUMBERS // (max(network.widths) * network.n_states))
    parts = [_part(network, inputs[first : first + size], states[first : first + size])
             for first in range(0, len(states), size)]
    return np.concatenate(parts) if parts else np.empty((0, network.n_states, network.n_states))


def _part(network: Network, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
    change = np.broadcast_to(np.eye(network.layers[0].n_inputs)[:, nets.state_places(network.columns)],
                             (len(states), network.layers[0].n_inputs, network.n_states))
    for layer, before in zip(network.layers, network.pre_activations(inputs, states), strict=True):
        change = np.matmul(layer.weight, change)
        if layer.relu:
            change = change * (before > 0)[:, :, None]
    return change
