"""A network in torch, compiled: the deck shows what the same weights give in numpy."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from circuits.dynamic.catalogue import find_device
from cosim.devices.from_training import physical_deck, trained_network
from cosim.errors import MappingError

DEVICES = (find_device("leaky_integrator"), find_device("memristor_node"))


def network(step_time=2.5e-3):
    torch.manual_seed(0)
    layers = []
    for n_in, nodes, mean, std in ((1, 3, 0.01, 0.05), (3, 2, -0.02, 0.08)):
        layer = nn.Linear(n_in, nodes)
        layer.twin = SimpleNamespace(x_mean=torch.tensor([mean]), x_std=torch.tensor([std]), step_time=step_time)
        layers.append(layer)
    return SimpleNamespace(layers=layers, readout=nn.Linear(2, 1))


def test_weights_arrive_where_they_belong():
    net = network()
    trained = trained_network(net, DEVICES, input_limit=2.0, output_limit=3.0)
    np.testing.assert_allclose(trained.layers[1].theta[:, :3], net.layers[1].weight.detach())
    np.testing.assert_allclose(trained.layers[1].theta[:, 3], net.layers[1].bias.detach())
    assert (trained.layers[1].mean, trained.layers[1].std) == (pytest.approx(-0.02), pytest.approx(0.08))
    assert trained.readout.shape == (1, 3)


def test_the_deck_is_a_physical_network():
    net = network()
    inputs = torch.rand(2, 5, 1, generator=torch.Generator().manual_seed(1)) * 4 - 2
    shown = physical_deck(DEVICES, input_limit=2.0, output_limit=3.0)(net, inputs, 6)
    assert [tuple(x.shape) for x in shown] == [(2, 6, 3, 1), (2, 6, 2, 1)]
    trained = trained_network(net, DEVICES, input_limit=2.0, output_limit=3.0)

    def respond(number, drives):
        generators = [np.random.default_rng([6, 1, number + 1, k]) for k in range(len(drives))]
        draws = DEVICES[number].draw(drives.shape[1], generators)
        return DEVICES[number].respond(drives, draws)

    _, alone = trained.stepwise(inputs[1].double().numpy(), respond)
    np.testing.assert_allclose(shown[0][1, ..., 0], alone[0], rtol=0, atol=1e-3)  # V, the amplifiers' lag


def test_what_does_not_fit_is_refused():
    with pytest.raises(MappingError, match="1 devices for 2 layers"):
        trained_network(network(), DEVICES[:1], input_limit=2.0, output_limit=3.0)
    with pytest.raises(MappingError, match="the twin takes steps of 0.001 s, device leaky_integrator of 0.0025 s"):
        trained_network(network(1e-3), DEVICES, input_limit=2.0, output_limit=3.0)
