"""A network of devices as one deck: against the same network step by step on decks of single devices."""

from dataclasses import replace

import numpy as np
import pytest

from circuits.array.programming import Programming
from circuits.dynamic.catalogue import find_device
from circuits.dynamic.device import DeviceError
from circuits.dynamic.squash import squash, squash_table
from circuits.engine.door.guard import check_deck
from circuits.netlist.deck import write_files
from cosim.compiler.options import Options
from cosim.devices.network_deck import compile_network_deck
from cosim.devices.network_runs import run_network
from cosim.devices.trained import DeviceLayer, TrainedNetwork
from cosim.errors import ClippingError, MappingError

STEPS, SETTLED = 34, 24  # steps of a run, and those after which nothing is left of the start: 6 time constants


def network(*devices, widths=(1, 3, 2, 1), seed=0):
    """Random weights, as large as trained ones: z of about +-2."""
    draw = np.random.default_rng(seed)
    layers = tuple(DeviceLayer(theta=draw.normal(0, 1.5, (n_out, n_in + 1)) / np.sqrt(n_in), device=find_device(name),
                               mean=0.01, std=0.06)
                   for name, n_in, n_out in zip(devices, widths[:-2], widths[1:-1], strict=True))
    readout = draw.normal(0, 1, (widths[-1], widths[-2] + 1))
    return TrainedNetwork(layers=layers, readout=readout, input_limit=2.0, output_limit=5.0)


def drive(n_inputs=1, sequences=1):
    return np.random.default_rng(5).uniform(-2, 2, (sequences, STEPS, n_inputs))


def parts_off(observed, reference):
    """Error of every layer's observables, rms, as a part of their standard deviation."""
    return [np.sqrt(np.mean((got[SETTLED:] - x[SETTLED:]) ** 2)) / np.sqrt(x[SETTLED:].var(axis=0).mean())
            for got, x in zip(observed, reference, strict=True)]


def test_held_layers_are_the_network_step_by_step_and_direct_ones_are_not():
    net, inputs = network("leaky_integrator", "memristor_node"), drive()
    wanted, reference = net.stepwise(inputs[0])
    outputs, observed = run_network(compile_network_deck(net, noisy=False), inputs)
    held = parts_off([x[0] for x in observed], reference)
    # the amplifiers' lag is 3 us of a step of 2.5 ms; a layer behind another one follows it through a window of 4 % of a step
    assert held[0] < 0.005 and held[1] < 0.02
    assert np.abs(outputs[0, SETTLED:] - wanted[SETTLED:]).max() < 0.02 * wanted.std()
    _, observed = run_network(compile_network_deck(net, coupling="direct", noisy=False), inputs)
    direct = parts_off([x[0] for x in observed], reference)
    assert direct[0] < 0.005 and direct[1] > 3 * held[1]


def test_noise_is_the_devices_own():
    """Layer 1 has the noise that its devices would have alone, draw for draw; a seed gives the same deck again."""
    net, inputs = network("leaky_integrator", "bistable_node", widths=(2, 2, 2, 1), seed=3), drive(2)
    compiled = compile_network_deck(net)
    _, observed = run_network(compiled, inputs, seed=4)

    def respond(number, drives):
        device = net.layers[number].device
        draws = device.draw(drives.shape[1], [np.random.default_rng([4, 0, number + 1, k]) for k in range(len(drives))])
        return device.respond(drives, draws)

    _, noisy = net.stepwise(inputs[0], respond)
    _, quiet = net.stepwise(inputs[0])
    assert np.abs(noisy[0] - quiet[0]).max() > 5e-3  # V
    np.testing.assert_allclose(observed[0][0], noisy[0], rtol=0, atol=1.5e-3)  # V, the amplifiers' lag
    assert compiled.deck(inputs[0], 4).files() == compiled.deck(inputs[0], 4).files()
    assert compiled.deck(inputs[0], 5).files()["stimuli.inc"] != compiled.deck(inputs[0], 4).files()["stimuli.inc"]


def test_a_device_without_noise_leaves_the_others_theirs():
    net = network("leaky_integrator", "memristor_node")
    quiet = replace(net.layers[0], device=replace(net.layers[0].device, noise=None))
    compiled = compile_network_deck(replace(net, layers=(quiet, net.layers[1])))
    assert compiled.spec.names == ("noise2_0", "noise2_1")
    _, observed = run_network(compiled, drive()[:, :8])
    _, still = run_network(compile_network_deck(net, noisy=False), drive()[:, :8])
    np.testing.assert_allclose(observed[0], still[0], rtol=0, atol=1e-4)  # V
    assert np.abs(observed[1] - still[1]).max() > 3e-3


def test_flat_and_macro_are_the_same_network():
    net, inputs = network("leaky_integrator", widths=(1, 2, 1)), drive()[:, :8]
    outputs = [run_network(compile_network_deck(net, Options(fidelity=fidelity, all_cells=False), noisy=False), inputs)[0]
               for fidelity in ("macro", "flat")]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=1e-3 * np.ptp(outputs[1]))


def test_programming_error_is_in_the_deck():
    net = network("leaky_integrator", widths=(1, 2, 1))
    exact, off = (compile_network_deck(net, Options(fidelity="macro", programming=Programming(error=error)))
                  for error in (0, 0.02))
    spread = off.layers[0].tiles[0].g[:2, :4] / exact.layers[0].tiles[0].g[:2, :4] - 1
    assert 0.003 < np.abs(spread).mean() < 0.05


def test_the_deck_says_what_it_is(tmp_path):
    compiled = compile_network_deck(network("leaky_integrator", "memristor_node"))
    deck = compiled.deck(drive()[0], seed=9)
    write_files(tmp_path, deck.files())
    check_deck(tmp_path / "network.cir")  # our own guard lets it in
    text = (tmp_path / "network.cir").read_text()
    for words in ("a 1-3-2-1 network of devices", "noise      seed 9", "layers sample each other", "x_net".replace("_", "")):
        assert words in text
    assert "sample_and_hold: v(line) = v(vin)" in (tmp_path / "blocks" / "sample_and_hold.inc").read_text()
    assert {f"conductances/theta_{k}.inc" for k in (1, 2, "out")} <= set(deck.files())


def test_squash_is_odd_rises_and_stays_inside_the_devices_range():
    z, h = squash_table()
    assert np.all(np.diff(z) > 0) and np.all(np.diff(h) > 0)
    np.testing.assert_allclose(h, -h[::-1], atol=1e-9)
    assert 0.95 < h[-1] < 1.0
    assert squash(np.array([-1e3, 1e3])).tolist() == [h[0], h[-1]]
    assert (squash(0.01) - squash(-0.01)) / 0.02 == pytest.approx(0.5, rel=0.01)  # as tanh(z / 2)


@pytest.mark.parametrize(("changes", "message"), [
    ({"readout": np.ones((1, 2))}, r"readout: weights of shape \(1, 2\); give \(nodes, 2 features and a bias\)"),
    ({"readout": np.array([[1.0, np.nan, 0.0]])}, r"readout: a weight is no finite number, first at \[0, 1\]"),
    ({"layers": ()}, "no layer"),
    ({"input_limit": 0.0}, "limits 0.0 of inputs"),
])
def test_networks_that_cannot_be(changes, message):
    with pytest.raises(MappingError, match=message):
        replace(network("leaky_integrator", "memristor_node"), **changes)


def test_layers_of_different_steps_are_refused():
    net = network("leaky_integrator", "bistable_node")
    slower = replace(net.layers[1], device=replace(net.layers[1].device, step_time=5e-3))
    with pytest.raises(MappingError, match="layers with steps of 0.0025, 0.005 s"):
        replace(net, layers=(net.layers[0], slower))


def test_a_device_that_the_limiter_cannot_drive_is_refused():
    net = network("leaky_integrator", widths=(1, 2, 1))
    narrow = replace(net.layers[0], device=replace(net.layers[0].device, input_range=(-0.5, 0.5)))
    with pytest.raises(DeviceError, match=r"over \[-1, 1\] V; it has 1 inputs over \[-0.5, 0.5\] V"):
        compile_network_deck(replace(net, layers=(narrow,)))
    with pytest.raises(DeviceError, match="coupling 'loose'"):
        compile_network_deck(net, coupling="loose")


@pytest.mark.parametrize(("inputs", "message"), [
    (np.full((1, 3, 1), 2.1), "input 0 of step 0 is 2.1, beyond the limit 2 .*as are 2 more"),
    (np.full((1, 3, 1), np.nan), "is nan"), (np.zeros((1, 3, 2)), "the network has 1 inputs a step"),
    (np.zeros((3, 1)), "sequences"),
])
def test_inputs_beyond_the_compiled_range(inputs, message):
    with pytest.raises(ClippingError, match=message):
        run_network(compile_network_deck(network("leaky_integrator", widths=(1, 2, 1))), inputs)
