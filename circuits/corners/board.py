"""A board at a corner: what was compiled for the nominal board, between the corner's wires, transistors and offsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from circuits.board.board import BoardSpec
from circuits.board.layer import reduce_layer
from circuits.corners.corner import Corner
from circuits.corners.layer import layer_at


def board_at(spec: BoardSpec, corner: Corner, conductances: Sequence[Sequence[np.ndarray]] | None = None) -> BoardSpec:
    """The same board at a corner. Conductances and resistors stay, for nothing is compiled again.

    Args:
        spec: the nominal board; its macromodels, if it has any, are not looked at.
        conductances: a layer, a tile: (32, 32) [S], as programmed, of which macromodels are made; None: every cell is drawn.
    """
    layers = tuple(layer_at(layer, corner) for layer in spec.layers)
    if conductances is None:
        return replace(spec, layers=layers, reduced=None)
    reduced = {tile: array for layer, tiles in zip(layers, conductances, strict=True)
               for tile, array in reduce_layer(layer, tiles).items()}
    return replace(spec, layers=layers, reduced=reduced)
