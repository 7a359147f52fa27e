"""Networks of twins: gradients, truncation, transfer to devices, cascade, correction by devices."""

import copy

import numpy as np
import pytest
import torch

from benchmarks.leaky_device import LeakyDevice
from training.errors import ModelError, TaskError
from training.networks.cascade import cascade
from training.networks.layer import Layer
from training.networks.network import DeviceNetwork, on_devices
from training.networks.train import Windows, fit_classes, fit_readout, train_on_sequences, train_on_series
from training.tasks.baselines import NoisyLayer, reservoir_of
from training.twins.fit import FitOptions, fit_twin
from training.twins.fits.base import Descent

QUICK = Descent(steps=60, batch=32, learning_rate=1e-2)
DEVICE = LeakyDevice()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def twins():
    recording = DEVICE.record(80, 20, 4, seed=1)
    return {kind: fit_twin(recording, FitOptions(kind=kind, hidden=6, one_step=QUICK, free_runs=QUICK, noise=QUICK))
            for kind in ("ode", "sde")}


def network(twin, layers=2, nodes=4, n_out=1, dtype=torch.float64, seed=0):
    """Random weights; the readout's start at 0 is kept where the network is to learn, in single precision."""
    first = Layer(twin, 1, nodes, spread=1.0, uniform=True, seed=seed, dtype=dtype)
    net = DeviceNetwork([first, *(Layer(twin, nodes, nodes, seed=seed + k, dtype=dtype) for k in range(1, layers))], n_out)
    if dtype is torch.float64:
        with torch.no_grad():
            net.readout.weight.normal_(generator=seeded(9))
    return net


@pytest.mark.parametrize("kind", ["ode", "sde"])
def test_the_gradient_through_time_is_that_of_finite_differences(twins, kind):
    """The same draws on both sides; central differences of 1e-5 in double precision are good to about 1e-8."""
    net = network(twins[kind])
    inputs = torch.randn(3, 6, 1, generator=seeded(1), dtype=torch.float64)

    def loss():
        return net(inputs, seeded(5))[0].square().sum()

    found = torch.autograd.grad(loss(), net.trained())
    for parameter, gradient in zip(net.trained(), found, strict=True):
        index = tuple(int(k) for k in np.unravel_index(int(gradient.abs().argmax()), gradient.shape))
        ends = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                parameter[index] += sign * 1e-5
                ends.append(loss().item())
                parameter[index] -= sign * 1e-5
        assert gradient[index].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_a_twins_own_parameters_do_not_move(twins):
    net = network(twins["sde"])
    before = [p.clone() for p in twins["sde"].parameters()]
    inputs = torch.randn(200, 1, generator=seeded(1), dtype=torch.float64)
    train_on_series(net, inputs, inputs, Descent(steps=3, batch=4, learning_rate=1e-2))
    assert all(torch.equal(a, b) for a, b in zip(before, twins["sde"].parameters(), strict=True))
    assert not any(p.requires_grad for layer in net.layers for p in layer.twin.parameters())


def test_truncation_keeps_the_state_and_cuts_the_gradient(twins):
    """The output behind a burn-in is that of one run; the gradient does not reach the inputs of the burn-in."""
    net = network(twins["ode"])
    inputs = torch.randn(2, 30, 1, generator=seeded(2), dtype=torch.float64).requires_grad_(True)
    states = net.start(2, seeded(3))
    whole, _ = net(inputs, seeded(4), states)
    with torch.no_grad():
        _, burnt = net.features(inputs[:, :20], states, seeded(4))
    part, _ = net(inputs[:, 20:], seeded(4), burnt)
    np.testing.assert_allclose(part.detach(), whole[:, 20:].detach(), atol=1e-12)
    reach = torch.autograd.grad(part[:, -1].sum(), inputs)[0]
    assert torch.count_nonzero(reach[:, :20]) == 0
    assert torch.count_nonzero(reach[:, 20:]) > 0


def series(rows=500):
    """Random inputs, and a saturated drive seen through two leaks: what two layers of leaky devices can do."""
    u = torch.rand(rows, 1, generator=seeded(0)) * 2.0 - 1.0
    target, through = torch.zeros_like(u), torch.zeros(1)
    for k in range(rows):
        through = 0.8 * through + 0.2 * torch.tanh(3.0 * u[k])
        target[k] = 0.8 * target[k - 1] + through if k else through
    return u, target / target.std()


def test_a_network_learns_a_series_and_a_window_that_is_too_long_is_refused(twins):
    u, target = series()
    net = network(twins["ode"], nodes=10, dtype=torch.float32)
    loss = train_on_series(net, u, target, Descent(steps=200, batch=16, learning_rate=2e-2), Windows(burn_in=10, length=10))
    assert loss < 0.2  # 1 is what the mean alone would do
    with pytest.raises(TaskError, match="a series of 500 inputs and 500 targets for windows of 700 steps"):
        train_on_series(net, u, target, QUICK, Windows(burn_in=690, length=10))


def test_a_network_learns_to_name_sequences_and_its_reservoir_is_its_own_weights_permuted(twins):
    """The class is the sign of the sum of the first three inputs of five, read behind the last."""
    u = torch.rand(400, 5, 1, generator=seeded(1)) * 2.0 - 1.0
    labels = (u[:, :3, 0].sum(1) > 0).long()
    net = network(twins["sde"], nodes=8, n_out=2, dtype=torch.float32)
    train_on_sequences(net, u, labels, Descent(steps=150, batch=64, learning_rate=2e-2))
    with torch.no_grad():
        right = (net(u, seeded(8))[0][:, -1].argmax(1) == labels).float().mean()
    assert right > 0.8
    reservoir = reservoir_of(net, seed=1)
    for ours, theirs in zip(reservoir.layers, net.layers, strict=True):
        assert torch.equal(ours.weight.flatten().sort().values, theirs.weight.flatten().sort().values)
    assert not torch.equal(reservoir.layers[1].weight, net.layers[1].weight)
    with torch.no_grad():
        shown = reservoir.features(u, reservoir.start(400, seeded(2)), seeded(2))[0][:, -1]
    hidden = reservoir.layers[0].weight.clone()
    fit_classes(reservoir, shown, labels, Descent(steps=100, batch=64, learning_rate=2e-2))
    assert torch.equal(hidden, reservoir.layers[0].weight)
    assert 0.55 < (reservoir.readout(shown).argmax(1) == labels).float().mean() < right


def test_the_twins_themselves_as_devices_give_the_same_outputs(twins):
    net = network(twins["ode"])
    with torch.no_grad():
        for layer in net.layers:
            layer.twin.starts[:] = layer.twin.starts[:1]  # one start: there is nothing left to draw
    inputs = torch.randn(2, 7, 1, generator=seeded(2), dtype=torch.float64)
    devices = [layer.twin for layer in net.layers]
    np.testing.assert_allclose(net.outputs_on(on_devices(devices), inputs), net(inputs, seeded())[0].detach(), atol=1e-12)
    with pytest.raises(ModelError, match="1 devices for a network of 2 layers"):
        on_devices(devices[:1])(net, inputs, 0)


def test_values_of_devices_and_gradients_of_twins(twins):
    """Where the devices are the twins, the gradient of the correction is the twins' own; where not, the values are theirs."""
    net = network(twins["ode"])
    with torch.no_grad():
        for layer in net.layers:
            layer.twin.starts[:] = layer.twin.starts[:1]
    inputs = torch.randn(2, 7, 1, generator=seeded(2), dtype=torch.float64)
    physical = on_devices([layer.twin for layer in net.layers])
    own = torch.autograd.grad(net(inputs, seeded())[0].square().sum(), net.trained())
    aware = torch.autograd.grad(net.along(inputs, physical(net, inputs, 0)).square().sum(), net.trained())
    for a, b in zip(own, aware, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9 * float(a.abs().max()) + 1e-12)
    other = on_devices([LeakyDevice(sigma=0.0, gain=0.7)] * 2)
    np.testing.assert_allclose(net.along(inputs, other(net, inputs, 0)).detach(), net.outputs_on(other, inputs), atol=1e-12)


@pytest.fixture(scope="module")
def off():
    """Devices without noise that have a third less gain than the twins think, and are slower."""
    return on_devices([LeakyDevice(sigma=0.0, gain=0.65, tau=1.3)] * 2)


def error_on(net, physical, u, target):
    return float((net.outputs_on(physical, u[None])[0, 50:] - target[50:]).square().mean())


def test_a_cascade_improves_with_a_mismatch(twins, off):
    u, target = series(400)
    start = network(twins["ode"], nodes=8, dtype=torch.float32)
    descent = Descent(steps=120, batch=16, learning_rate=2e-2)
    plain, cascaded = copy.deepcopy(start), copy.deepcopy(start)
    train_on_series(plain, u, target, descent, Windows(burn_in=10, length=10))
    cascade(cascaded, u[None], off, lambda part, shown: train_on_series(part, shown[0], target, descent,
                                                                        Windows(burn_in=10, length=10)),
            lambda net, shown: fit_readout(net, shown[0, 50:], target[50:]))
    assert error_on(cascaded, off, u, target) < 0.8 * error_on(plain, off, u, target)


def test_training_through_the_devices_improves_with_a_mismatch(twins, off):
    u, target = series(300)
    windows_u, windows_t = (part.unfold(0, 12, 6).movedim(2, 1) for part in (u, target))
    net = network(twins["ode"], nodes=6, dtype=torch.float32)

    def loss_of(outputs, targets):
        return (outputs[:, 4:] - targets[:, 4:]).square().mean()

    descent = Descent(steps=100, batch=16, learning_rate=2e-2)
    aware, plain = copy.deepcopy(net), copy.deepcopy(net)
    train_on_sequences(plain, windows_u, windows_t, descent, loss_of)
    train_on_sequences(aware, windows_u, windows_t, descent, loss_of, physical=off)
    errors = [float(loss_of(n.outputs_on(off, windows_u), windows_t)) for n in (aware, plain)]
    assert errors[0] < 0.8 * errors[1]


def test_layers_that_do_not_fit_are_refused(twins):
    with pytest.raises(ModelError, match="a layer of 3 inputs follows one of 4 features"):
        DeviceNetwork([Layer(twins["ode"], 1, 4), Layer(twins["ode"], 3, 2)], 1)
    with pytest.raises(ModelError, match="0 nodes"):
        Layer(twins["ode"], 1, 0)
    with pytest.raises(TaskError, match="noise = -1"):
        NoisyLayer(twins["ode"], 1, 2, noise=-1.0)


def test_layers_may_hold_different_devices_and_the_inputs_stay_in_their_ranges(twins):
    slow = fit_twin(LeakyDevice(tau=3.0, low=-1.0, high=3.0).record(60, 20, 2, seed=4),
                    FitOptions(kind="ode", hidden=4, one_step=QUICK, free_runs=QUICK))
    net = DeviceNetwork([Layer(twins["sde"], 1, 3), Layer(slow, 3, 2, spread=5.0)], 2)
    out, _ = net(torch.randn(2, 5, 1, generator=seeded(1)), seeded(1))
    assert out.shape == (2, 5, 2)
    driven = net.layers[1].device_inputs(100.0 * torch.randn(2, 5, 3, generator=seeded(2)))
    assert driven.min() >= -1.0
    assert driven.max() <= 3.0


def test_output_noise_of_a_noisy_layer_has_its_size(twins):
    layer = NoisyLayer(twins["ode"], 1, 50, noise=0.3, seed=1)
    quiet = NoisyLayer(twins["ode"], 1, 50, noise=0.0, seed=1)
    u, state = torch.zeros(40, 5, 1), layer.start(40, seeded(1))
    with torch.no_grad():
        away = layer(u, state, seeded(2))[0] - quiet(u, state, seeded(2))[0]
    assert away.std().item() == pytest.approx(0.3, rel=0.03)
