"""Port conductances: conventions on asymmetric matrices, limits with known answers."""

import numpy as np
import pytest

from circuits.array.network import port_conductance
from circuits.array.wires import Wires
from circuits.errors import CircuitError

NO_WIRES = Wires(resistance=1e-9)


def test_row_is_source_line_and_column_is_bit_line():
    g = np.array([[10e-6, 20e-6, 30e-6], [40e-6, 50e-6, 60e-6]])
    y = port_conductance(g, selected=np.array([True, True]), wires=NO_WIRES, r_on=0.0)
    np.testing.assert_allclose(y, g, rtol=1e-9)


def test_transistor_is_in_series():
    y = port_conductance(np.array([[100e-6]]), selected=np.array([True]), wires=NO_WIRES, r_on=300.0)
    np.testing.assert_allclose(y, [[1 / 10300.0]], rtol=1e-9)


def test_unselected_row_carries_nothing():
    y = port_conductance(np.full((2, 2), 50e-6), selected=np.array([True, False]), wires=Wires(), r_on=100.0)
    assert (y[1] == 0).all()
    assert (y[0] > 0).all()


def test_single_cell_sees_one_segment_of_each_line():
    y = port_conductance(np.array([[100e-6]]), selected=np.array([True]), wires=Wires(resistance=50.0), r_on=0.0)
    np.testing.assert_allclose(y, [[1 / (10e3 + 100.0)]], rtol=1e-12)


def test_farther_cells_lose_more_along_both_lines():
    y = port_conductance(np.full((4, 5), 100e-6), selected=np.full(4, True), wires=Wires(resistance=20.0), r_on=0.0)
    assert (np.diff(y, axis=0) < 0).all()
    assert (np.diff(y, axis=1) < 0).all()


def test_two_by_one_ladder_by_hand():
    # Bit line: port -R- n0 -R- n1; source lines: each cell -R- port at 0 V. By hand with R = 100, cells 1/10 kohm:
    r, cell = 100.0, 10e3
    branch = cell + r
    far = branch + r
    v0 = (1 / (1 / branch + 1 / far)) / (r + 1 / (1 / branch + 1 / far))
    y = port_conductance(np.full((2, 1), 1 / cell), selected=np.full(2, True), wires=Wires(resistance=r), r_on=0.0)
    np.testing.assert_allclose(y[:, 0], [v0 / branch, v0 / far], rtol=1e-12)


def test_refuses_a_dead_conductance_and_names_it():
    with pytest.raises(CircuitError, match=r"g\[0,1\]"):
        port_conductance(np.array([[1e-6, 0.0]]), selected=np.array([True]), wires=Wires(), r_on=1.0)
