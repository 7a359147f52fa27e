"""Wires and transistors are solved for and taken out."""

import numpy as np
import pytest

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance
from circuits.array.select_transistor import SelectTransistor
from circuits.array.window import Window
from circuits.array.wires import Wires
from cosim.compiler.compensation import compensate, compensate_tiles
from cosim.compiler.mapping import interleave

WINDOW, WIRES = Window(), Wires()
R_ON = SelectTransistor().on_resistance()


def effective(g, n_out, n_in, wires=WIRES):
    y = port_conductance(g, selected=np.arange(SIZE) < n_out, wires=wires, r_on=R_ON)[:n_out]
    return y[:, 0 : 2 * n_in : 2] - y[:, 1 : 2 * n_in : 2]


@pytest.fixture
def target():
    rng = np.random.default_rng(5)
    return rng.uniform(-70e-6, 70e-6, (14, 15))


def test_reaches_the_target(target):
    found = compensate(target, window=WINDOW, wires=WIRES, r_on=R_ON)
    assert found.unreached() == []
    # atol: 1 pS, a hundredth of what seven digits in a deck can say
    np.testing.assert_allclose(effective(found.g, 14, 15), target, rtol=0, atol=1e-12)


def test_many_arrays_at_once_are_each_what_they_are_alone(target):
    rng = np.random.default_rng(6)
    targets = [target, rng.uniform(-60e-6, 60e-6, (32, 16)), rng.uniform(-70e-6, 70e-6, (1, 3)), np.zeros((2, 2)),
               np.array([[79.9e-6]])] * 5  # more than are taken at once; one beyond the window
    found = compensate_tiles(targets, window=WINDOW, wires=WIRES, r_on=R_ON, r_port=0.02)
    for one, wanted in zip(found, targets, strict=True):
        alone = compensate(wanted, window=WINDOW, wires=WIRES, r_on=R_ON, r_port=0.02)
        np.testing.assert_allclose(one.g, alone.g, rtol=0, atol=1e-15)
        np.testing.assert_allclose(one.residual, alone.residual, rtol=0, atol=1e-15)


@pytest.mark.parametrize("resistance", [0.1, 1.5, 3.4, 3.8, 8.0],
                         ids=["short", "nominal", "just iterated", "just solved", "long"])
def test_what_was_found_is_what_a_solved_mesh_conducts(target, resistance):
    wires = Wires(resistance=resistance)
    found = compensate(0.8 * target, window=WINDOW, wires=wires, r_on=R_ON)
    np.testing.assert_allclose(0.8 * target - effective(found.g, 14, 15, wires), found.residual, rtol=0, atol=1e-14)


def test_without_it_the_error_is_the_one_expected(target):
    # Hand estimate for 70 uS: the transistor takes r_on * g = 2.6 %, wires about 1 % more; so several per cent, not 0.1.
    bare = interleave(WINDOW.g_min + np.maximum(target, 0), WINDOW.g_min + np.maximum(-target, 0), SIZE, WINDOW.g_min)
    error = np.abs(effective(bare, 14, 15) - target).max() / 70e-6
    assert 0.02 < error < 0.12


def test_what_the_window_does_not_allow_is_reported_cell_by_cell():
    target = np.zeros((2, 3))
    target[1, 2] = 79.9e-6  # with 20 to 100 uS and 285 ohm in series at most about 77 uS
    found = compensate(target, window=WINDOW, wires=WIRES, r_on=R_ON)
    assert [cell[:2] for cell in found.unreached()] == [(1, 2)]
    assert found.unreached()[0][2] == pytest.approx(2.5e-6, rel=0.4)
    assert found.g.max() == WINDOW.g_max
