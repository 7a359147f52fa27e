"""Devices that are equations: answers by hand, noise that no step changes, memory and saturation."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.dynamic.catalogue import find_device
from circuits.dynamic.device import DeviceError

EQUATIONS = ("reference_leaky", "ring_array_like", "spin_ice_like")


def generators(runs):
    return [np.random.default_rng([2, k]) for k in range(runs)]


def end(name, *levels, steps=12):
    """Observables after each level was held for so many steps."""
    device = find_device(name)
    return device.respond(np.repeat(levels, steps)[None, :, None])[0, -1]


def test_reference_leaky_follows_its_exponential():
    x = find_device("reference_leaky").respond(np.repeat([2.0, -1.0], [1, 8])[None, :, None])[0, :, 0]
    assert_allclose(x[:2], 2.0, atol=1e-9)
    assert_allclose(x[1:], -1 + 3 * np.exp(-0.25 * np.arange(9)), atol=1e-6)


def test_noise_of_the_reference_is_a_tenth_of_the_signal():
    device = find_device("reference_leaky")
    inputs = np.random.default_rng(1).uniform(-2, 2, (200, 60, 1))
    quiet = device.respond(inputs)[:, 20:]
    noise = device.respond(inputs, device.draw(60, generators(200)))[:, 20:] - quiet
    # fresh inputs: variance 4/3 (1 - r) / (1 + r), r = exp(-1/4)
    assert quiet.std() == pytest.approx(np.sqrt(4 / 3 * np.tanh(0.125)), rel=0.05)
    assert 0.08 < noise.std() / quiet.std() < 0.12
    still = device.respond(np.zeros((200, 80, 1)), device.draw(80, generators(200)))[:, 20:]
    assert still.std() == pytest.approx(0.05 * np.sqrt(0.5 / 1.5), rel=0.05)
    loud = device.respond(np.full((200, 80, 1), 1.2), device.draw(80, generators(200)))[:, 20:]
    assert loud.std() / still.std() == pytest.approx(np.sqrt(1 + 9), rel=0.08)  # sqrt(1 + (1.2 / 0.4)^2)


@pytest.mark.parametrize("name", EQUATIONS)
def test_noise_does_not_depend_on_the_step(name):
    device = find_device(name)
    inputs = np.random.default_rng(1).uniform(-2, 2, (5, 12, 1))
    noise = device.draw(12, generators(5))
    usual = device.respond(inputs, noise)
    assert_allclose(replace(device, substeps=16).respond(inputs, noise), usual, atol=2e-3)
    halved = replace(device, step_time=device.step_time / 2, rest_steps=2 * device.rest_steps)
    twice = halved.respond(np.repeat(inputs, 2, axis=1), halved.draw(24, generators(5)))
    assert_allclose(twice[:, ::2], usual, atol=2e-3)
    assert np.abs(usual - device.respond(inputs)).max() > 0.02


@pytest.mark.parametrize("name", EQUATIONS[1:])
def test_arrays_remember_and_saturate(name):
    strong, weak = 2.0, 0.2
    assert_allclose(end(name, -strong, strong, steps=30), end(name, strong, steps=30), atol=0.02)
    after_up, after_down = end(name, strong, weak), end(name, -strong, weak)
    assert np.abs(after_up - after_down).max() > 1  # a weak field changes little, so the past is seen
    device = find_device(name)
    x = device.respond(np.random.default_rng(3).uniform(-2, 2, (50, 60, 1)))
    assert x.shape == (50, 61, 3) and np.abs(x).max() < 1.5


def test_middling_fields_make_vortices_and_strong_ones_sweep_them_out():
    assert end("ring_array_like", 2.0, 1.1, steps=40)[2] > 0.5
    assert end("ring_array_like", 1.1, 2.0, steps=40)[2] < 0.05


def test_classes_of_spin_ice_flip_one_after_the_other():
    """From the lower end, each stronger field turns more classes; the first mixture holds the two soft ones."""
    first = [end("spin_ice_like", -2.0, field, steps=40)[0] for field in (0.3, 0.95, 1.4)]
    assert first[0] < -0.9 and first[2] > 0.9 and first[0] < first[1] <= first[2] + 1e-6


def test_an_equation_that_runs_away_is_told():
    device = replace(find_device("reference_leaky"), slope=lambda x, s, a: np.exp(np.minimum(x, 700.0)) * 1e300, rest_steps=0)
    with pytest.raises(DeviceError, match="left the finite numbers"), np.errstate(all="ignore"):
        device.respond(np.zeros((1, 3, 1)))
