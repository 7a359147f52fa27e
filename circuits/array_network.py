"""The array as a linear network: port conductances from cells, select transistors and wires."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from circuits.errors import CircuitError
from circuits.wires import Wires


def port_conductance(g: np.ndarray, *, selected: np.ndarray, wires: Wires, r_on: float) -> np.ndarray:
    """Transfer conductances of the array, i(sl_r) = sum over c of y[r, c] * v(bl_c), source lines at 0 V.

    Nodal analysis of every cell and wire segment; the select transistor is its on-resistance. Numbering as in
    :func:`circuits.array.array_cells`: bit lines driven at row 0, source lines sensed at column 0.

    Args:
        g: (rows, cols) [S], programmed conductances, positive.
        selected: (rows,) bool, word line high; cells of the other rows are open.
        wires: one segment a cell and line.
        r_on: select transistor [ohm].
    Returns:
        y: (rows, cols) [S].
    Raises:
        CircuitError: a conductance is not positive and finite; names its cell.
    """
    rows, cols = g.shape
    bad = ~(np.isfinite(g) & (g > 0))
    if bad.any():
        r, c = np.argwhere(bad)[0]
        raise CircuitError(f"g[{r},{c}] = {g[r, c]} S in the array: a conductance must be positive and finite")
    bl = np.arange(rows * cols).reshape(rows, cols)
    sl = bl + rows * cols
    cell = np.where(np.asarray(selected)[:, None], 1.0 / (1.0 / g + r_on), 0.0)
    g_wire = 1.0 / wires.resistance
    wire = np.full(bl.size, g_wire)

    branches = [  # node, node, conductance; every branch once
        (bl.ravel(), sl.ravel(), cell.ravel()),
        (bl[:-1].ravel(), bl[1:].ravel(), wire[: bl[1:].size]),
        (sl[:, :-1].ravel(), sl[:, 1:].ravel(), wire[: sl[:, 1:].size]),
    ]
    a, b, value = (np.concatenate(column) for column in zip(*branches, strict=True))
    ports = np.concatenate([bl[0], sl[:, 0]])
    matrix = coo_matrix(
        (
            np.concatenate([value, value, -value, -value, np.full(ports.size, g_wire)]),
            (np.concatenate([a, b, a, b, ports]), np.concatenate([a, b, b, a, ports])),
        ),
        shape=(2 * bl.size, 2 * bl.size),
    )
    drive = np.zeros((2 * bl.size, cols))
    drive[bl[0], np.arange(cols)] = g_wire
    return g_wire * splu(matrix.tocsc()).solve(drive)[sl[:, 0]]
