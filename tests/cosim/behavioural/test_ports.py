"""Port conductances as tensors: exact at the nominal board, first order away from it, gradients, tiles."""

import numpy as np
import pytest
import torch

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance, port_network
from circuits.array.programming import Programming
from circuits.array.window import Window
from circuits.board.layer import LayerSpec
from cosim.behavioural.ports import layer_ports, nominal_ports

SPEC = LayerSpec(name="t", n_inputs=5, n_outputs=7, bias=True, relu=True, r_f=1e4)


@pytest.fixture(scope="module")
def g():
    g = np.full((SIZE, SIZE), 20e-6)
    g[:7, :12] = np.random.default_rng(5).uniform(20e-6, 100e-6, (7, 12))
    return g


def y_of(spec, g, other=None):
    tiles = nominal_ports(spec, [g] * len(spec.tiles), torch.float64)
    return layer_ports(spec, tiles, None if other is None else [torch.as_tensor(other)] * len(spec.tiles))


def exact(g):
    between = port_network(g, selected=np.arange(SIZE) < 7, wires=SPEC.wires, r_on=SPEC.transistor.on_resistance())
    used = np.concatenate([np.arange(12), SIZE + np.arange(7)])
    return (np.diag(between.sum(axis=1)) - between)[np.ix_(used, used)]


def test_the_nominal_board_is_exact(g):
    np.testing.assert_allclose(y_of(SPEC, g).y[0].numpy(), exact(g), rtol=0, atol=1e-18)
    np.testing.assert_allclose(y_of(SPEC, g, g[None]).y[0].numpy(), exact(g), rtol=0, atol=1e-18)


def test_programming_error_is_right_to_first_order(g):
    noisy = Programming(levels=64, error=0.022, seed=3).apply(g, Window(), 1)
    wrong = np.abs(y_of(SPEC, g, noisy[None]).y[0].numpy() - exact(noisy)).max()
    moved = np.abs(exact(noisy) - exact(g)).max()
    assert moved > 3e-6  # S, a few per cent of 100 uS
    assert wrong < 4e-9  # S, 4e-5 of a full-scale cell: (the change, 1e-6 S and more) * (100 ohm of wires) * the change


def test_the_gradient_is_that_of_the_exact_network(g):
    noisy = torch.as_tensor(g[None]).requires_grad_()
    tiles = nominal_ports(SPEC, [g], torch.float64)
    (gradient,) = torch.autograd.grad(layer_ports(SPEC, tiles, [noisy]).y[0, 12 + 2, 4], noisy)
    for cell in ((2, 4), (3, 4), (2, 6), (20, 4)):
        step = np.zeros_like(g)
        step[cell] = 1e-9
        change = (exact(g + step)[12 + 2, 4] - exact(g - step)[12 + 2, 4]) / 2e-9
        assert gradient[0][cell].item() == pytest.approx(change, rel=1e-4, abs=1e-8)


def test_tiles_stand_behind_their_board_wires(g):
    spec = LayerSpec(name="t", n_inputs=20, n_outputs=7, bias=False, relu=True, r_f=1e4, r_board=3.0)
    ports = y_of(spec, g)
    first, second = spec.tiles
    for tile in (first, second):
        y = port_conductance(g, selected=np.arange(SIZE) < 7, wires=spec.wires, r_on=spec.transistor.on_resistance(),
                             r_port=3.0)
        got = -ports.y[0][spec.n_bit_lines :, : spec.n_bit_lines][tile.outputs, tile.lines].numpy()
        np.testing.assert_allclose(got, y[:7, : tile.n_lines], rtol=1e-6, atol=1e-14)  # but for gmin
