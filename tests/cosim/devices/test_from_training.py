"""A network in torch, compiled: the deck shows what the same weights give in numpy."""

import numpy as np
import pytest
import torch

from circuits.dynamic.catalogue import find_device
from circuits.dynamic.squash import squash, squash_table
from cosim.devices.from_training import physical_deck, trained_network
from cosim.errors import MappingError
from training.networks.layer import Layer
from training.networks.network import DeviceNetwork
from training.twins.ode import ODETwin
from training.twins.twin import Scale

SQUASH = squash_table()
DEVICES = (find_device("leaky_integrator"), find_device("memristor_node"))


def twin(mean, std, step_time=2.5e-3, volts=1.0):
    """Not fitted: what counts here are its units."""
    scale = Scale(x_mean=torch.tensor([mean]), x_std=torch.tensor([std]), s_low=torch.tensor(-volts),
                  s_high=torch.tensor(volts), step_time=step_time)
    return ODETwin(scale, 1, 0, torch.zeros(1, 1), hidden=2)


def network(squash=SQUASH, **units):
    first, second = (Layer(twin(mean, std, **units), n_in, nodes, squash=squash, seed=n_in)
                     for n_in, nodes, mean, std in ((1, 3, 0.01, 0.05), (3, 2, -0.02, 0.08)))
    net = DeviceNetwork([first, second], 1)
    with torch.no_grad():
        net.readout.weight.normal_(generator=torch.Generator().manual_seed(0))
    return net


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
        trained_network(network(step_time=1e-3), DEVICES, input_limit=2.0, output_limit=3.0)
    with pytest.raises(MappingError, match="layer 1: the twin's inputs are -2 to 2, those of device leaky_integrator -1"):
        trained_network(network(volts=2.0), DEVICES, input_limit=2.0, output_limit=3.0)
    with pytest.raises(MappingError, match=r"its h\(z\) is up to 0.0\d+ V from the deck's soft limiter; train it with Layer"):
        trained_network(network(squash=None), DEVICES, input_limit=2.0, output_limit=3.0)


def test_a_layer_squashes_as_the_deck_does_and_its_gradient_is_that():
    z = torch.linspace(-12, 12, 97, dtype=torch.float64, requires_grad=True)
    layer = Layer(twin(0.0, 1.0), 1, 1, squash=SQUASH, dtype=torch.float64)
    h = layer.squashed(z)
    np.testing.assert_allclose(h.detach(), squash(z.detach().numpy()), rtol=0, atol=1e-12)
    (slope,) = torch.autograd.grad(h.sum(), z)
    by_hand = (squash(z.detach().numpy() + 1e-6) - squash(z.detach().numpy() - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, by_hand, rtol=0, atol=2e-2)  # at a point of the table the two sides differ
