"""Programmed conductances as text: the one file that changes when the weights do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.cards.card import read_cards
from circuits.cards.definition import assignments
from circuits.cards.number import spice_number
from circuits.errors import CircuitError
from circuits.netlist.render import comment

DIGITS = 7  # significant digits; rounding to them is some millionths of the programming error


def conductance_text(g: np.ndarray, name: str, remarks: Sequence[str] = ()) -> str:
    """``.param`` lines g_<row>_<col> [S] of one array.

    Args:
        g: (32, 32) [S].
        name: the array's layer, for the heading.
        remarks: further comment lines, e.g. which rows and columns are in use.
    """
    if g.shape != (SIZE, SIZE):
        raise CircuitError(f"conductances of {name} have shape {g.shape}, an array has {SIZE}x{SIZE} cells")
    head = comment([f"conductances of array_{name}, g_<row>_<col> in S, row = source line, column = bit line",
                    *(f"  {line}" for line in remarks), "  generated, do not edit"])
    body = [f".param g_{r}_{c}={value:.{DIGITS}g}" for r, row in enumerate(g) for c, value in enumerate(row)]
    return "\n".join([*head, *body]) + "\n"


def read_conductances(path: Path) -> np.ndarray:
    """Read such a file back.

    Returns:
        (32, 32) [S].
    Raises:
        CircuitError: there is no such file, it holds something else than conductances of the array's cells, or a cell is
            missing.
    """
    if not path.is_file():
        raise CircuitError(f"{path} does not exist; compile the twin again")
    g = np.full((SIZE, SIZE), np.nan)
    cells = {f"g_{row}_{column}": (row, column) for row in range(SIZE) for column in range(SIZE)}
    for card in read_cards(path, is_deck=False)[1]:
        values = {name: spice_number(text) for name, text in assignments(card.text).items()}
        if card.keyword != ".param" or None in values.values() or not values.keys() <= cells.keys():
            raise card.reject(f"not a conductance of a cell; write '.param g_<row>_<col>=<number>', rows and columns up to "
                              f"{SIZE - 1}, or compile the twin again")
        for name, value in values.items():
            g[cells[name]] = value
    if np.isnan(g).any():
        r, c = np.argwhere(np.isnan(g))[0]
        raise CircuitError(f"{path} has no g_{r}_{c}; compile the twin again")
    return g
