"""The array as a linear network: the conductances between its pins, from cells, select transistors and wires."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import SuperLU, splu

from circuits.array.wires import Wires
from circuits.errors import CircuitError

GMIN = 1e-12  # S, ngspice's default


def port_conductance(g: np.ndarray, *, selected: np.ndarray, wires: Wires, r_on: float, r_port: float = 0.0) -> np.ndarray:
    """Transfer conductances of the array, i(sl_r) = sum over c of y[r, c] * v(bl_c), with all source lines at 0 V.

    They come from a nodal analysis of every cell and wire segment, in which the select transistor is its on-resistance. Rows
    and columns are numbered as in :func:`circuits.array.crossbar.array_cells`: bit lines are driven at row 0, source lines
    are sensed at column 0.

    Args:
        g: (rows, cols) [S], programmed conductances, positive.
        selected: (rows,) bool, whether the word line is high. The cells of the other rows are open.
        wires: the segment of each cell and line.
        r_on: on-resistance of the select transistor [ohm].
        r_port: board wire in series with every pin [ohm].
    Returns:
        y: (rows, cols) [S].
    Raises:
        CircuitError: a conductance is not positive and finite; names its cell.
    """
    cols = g.shape[1]
    mesh, g_port = _factor(g, selected, wires, r_on, r_port, 0.0)
    ports = _port_nodes(*g.shape)
    return g_port * mesh.solve(_drive(ports[:cols], g.size, g_port))[ports[cols:]]


def port_network(
    g: np.ndarray, *, selected: np.ndarray, wires: Wires, r_on: float, r_port: float = 0.0, gmin: float = GMIN
) -> np.ndarray:
    """Conductance between every two pins of the array: the Schur complement of its cells and wires onto its pins.

    The network is not connected to ground, so these conductances describe it completely: the current into pin i is the sum
    over j of G[i, j] * (v_i - v_j). The pins are in order every bit line, every source line and the substrate. A source line
    whose word line is low is connected to nothing.

    Args:
        g, selected, wires, r_on, r_port: as for :func:`port_conductance`.
        gmin: the simulator's conductance across each of a transistor's two junctions [S]; at 2.5 V it takes 5 pA per cell.
    Returns:
        G: (cols + rows + 1, cols + rows + 1) [S], symmetric, zero diagonal, not negative.
    Raises:
        CircuitError: a conductance is not positive and finite; names its cell.
    """
    mesh, g_port = _factor(g, selected, wires, r_on, r_port, gmin)
    ports = _port_nodes(*g.shape)
    substrate = np.concatenate([leg.ravel() for leg in _cells(g, selected, r_on, gmin)[1:]])
    solved = g_port * mesh.solve(np.column_stack([_drive(ports, g.size, g_port), substrate]))[ports]
    between = np.zeros((ports.size + 1, ports.size + 1))
    between[:-1] = solved
    between[:-1, :-1] = 0.5 * (solved[:, :-1] + solved[:, :-1].T)  # symmetric but for rounding
    between[-1] = between[:, -1]
    np.fill_diagonal(between, 0.0)
    off = g.shape[1] + np.flatnonzero(~np.asarray(selected))
    between[off], between[:, off] = 0.0, 0.0
    return between


def cell_drops(
    g: np.ndarray, *, selected: np.ndarray, wires: Wires, r_on: float, r_port: float = 0.0, gmin: float = GMIN
) -> np.ndarray:
    """Voltage across every cell, from bit line to source line, with one pin at 1 V and the others grounded.

    When the conductance of each cell (memristor and transistor in series) changes by d, the conductance between pins i and j
    of :func:`port_network` changes by minus the sum over the cells of drops[i] * d * drops[j]. This is exact to first order;
    the square of d times the wires' resistance is left out.

    Args:
        g, selected, wires, r_on, r_port, gmin: as for :func:`port_network`.
    Returns:
        (cols + rows, rows, cols) [V/V]; the pins are the bit lines, then the source lines.
    """
    mesh, g_port = _factor(g, selected, wires, r_on, r_port, gmin)
    potential = mesh.solve(_drive(_port_nodes(*g.shape), g.size, g_port))
    return (potential[: g.size] - potential[g.size :]).T.reshape(-1, *g.shape)


def cell_currents(
    g: np.ndarray, volts: np.ndarray, *, selected: np.ndarray, wires: Wires, r_on: float, r_port: float = 0.0,
    gmin: float = GMIN, substrate: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Currents that every cell takes from its bit line and gives to its source line, with all pins held at a voltage.

    A pin's current is the sum over its line's cells: into bit line c the sum of column c of the first array, out of source
    line r the sum of row r of the second. The two differ by what leaks into the substrate.

    Args:
        volts: (cols + rows,) [V], bit lines, then source lines.
        substrate: its voltage [V].
        g, selected, wires, r_on, r_port, gmin: as for :func:`port_network`.
    Returns:
        from the bit line and to the source line, (rows, cols) [A] each.
    """
    mesh, g_port = _factor(g, selected, wires, r_on, r_port, gmin)
    cell, bl_leak, sl_leak = _cells(g, selected, r_on, gmin)
    leak = substrate * np.concatenate([bl_leak.ravel(), sl_leak.ravel()])
    bl, sl = mesh.solve(_drive(_port_nodes(*g.shape), g.size, g_port) @ volts + leak).reshape(2, *g.shape)
    through = cell * (bl - sl)
    return through + bl_leak * (bl - substrate), through - sl_leak * (sl - substrate)


def cell_curvature(g: np.ndarray, *, selected: np.ndarray, r_on: float, curvature: float) -> np.ndarray:
    """Coefficient c of a cell's current, i = g_cell * v - c * v^2, that comes from its transistor's curvature.

    The current that the transistor lacks, curvature * v_ds^2, divides between the transistor and the memristor.

    Args:
        g: (rows, cols) [S].
        selected: (rows,) bool, as for :func:`port_conductance`.
        r_on: on-resistance of the select transistor [ohm].
        curvature: of the select transistor [A/V^2].
    Returns:
        c: (rows, cols) [A/V^2].
    """
    cell = np.where(np.asarray(selected)[:, None], 1.0 / (1.0 / g + r_on), 0.0)
    return curvature * r_on**3 * cell**3


def _cells(g: np.ndarray, selected: np.ndarray, r_on: float, gmin: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Conductances of every cell [S]: bit line to source line, bit line to substrate, source line to substrate.

    Memristor, transistor and the drain junction's gmin form a star around the node that joins them.
    """
    on = np.asarray(selected)[:, None]
    star = np.where(on, 1.0 + (g + gmin) * r_on, g + gmin)  # divided by the transistor's conductance where it is on
    return np.where(on, g / star, 0.0), np.where(on, g * gmin * r_on, g * gmin) / star, np.where(on, gmin / star, 0.0) + gmin


def _port_nodes(rows: int, cols: int) -> np.ndarray:
    """Nodes of the mesh to which the pins lead: bit lines at row 0, then source lines at column 0."""
    return np.concatenate([np.arange(cols), rows * cols + np.arange(rows) * cols])


def _drive(ports: np.ndarray, cells: int, g_port: float) -> np.ndarray:
    """Currents (nodes, ports) [A] that 1 V at one pin feeds into the mesh."""
    drive = np.zeros((2 * cells, ports.size))
    drive[ports, np.arange(ports.size)] = g_port
    return drive


def _factor(
    g: np.ndarray, selected: np.ndarray, wires: Wires, r_on: float, r_port: float, gmin: float
) -> tuple[SuperLU, float]:
    """The factored mesh, and the conductance of a pin to its node [S].

    The nodes are those of the bit lines, row by row, then those of the source lines.
    """
    rows, cols = g.shape
    bad = ~(np.isfinite(g) & (g > 0))
    if bad.any():
        r, c = np.argwhere(bad)[0]
        raise CircuitError(f"g[{r},{c}] = {g[r, c]} S in the array: a conductance must be positive and finite")
    bl = np.arange(rows * cols).reshape(rows, cols)
    sl = bl + rows * cols
    cell, bl_leak, sl_leak = _cells(g, selected, r_on, gmin)
    g_wire, g_port = 1.0 / wires.resistance, 1.0 / (wires.resistance + r_port)
    wire = np.full(bl.size, g_wire)

    branches = [  # (nodes, nodes, conductances); every branch stands here once
        (bl.ravel(), sl.ravel(), cell.ravel()),
        (bl[:-1].ravel(), bl[1:].ravel(), wire[: bl[1:].size]),
        (sl[:, :-1].ravel(), sl[:, 1:].ravel(), wire[: sl[:, 1:].size]),
    ]
    a, b, value = (np.concatenate(column) for column in zip(*branches, strict=True))
    ports, every = _port_nodes(rows, cols), np.arange(2 * bl.size)
    matrix = coo_matrix(
        (
            np.concatenate([value, value, -value, -value, np.full(ports.size, g_port), bl_leak.ravel(), sl_leak.ravel()]),
            (np.concatenate([a, b, a, b, ports, every]), np.concatenate([a, b, b, a, ports, every])),
        ),
        shape=(2 * bl.size, 2 * bl.size),
    )
    return splu(matrix.tocsc()), g_port
