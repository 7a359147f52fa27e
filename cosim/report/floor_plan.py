"""Floor plan: the arrays of every layer and what is used of them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt

from circuits.array.crossbar import SIZE
from circuits.board.layer import LayerSpec
from cosim.report.style import styled

GAP = 12  # lines, between tiles
HEAD = 26  # lines, above the tiles of a layer
WIDTH = 13.5  # inches
WIDEST = 15 * (SIZE + GAP)  # lines: layers beyond it go below
SMALLEST = 4.5  # points, of a label that can be read


@styled
def floor_plan(layers: Sequence[LayerSpec]) -> plt.Figure:
    """One group per layer, one square per 32x32 array, the cells in use filled.

    Args:
        layers: of a board.
    """
    step = SIZE + GAP
    places, left, top, lowest, right = [], 0, 0, 0, 0
    for layer in layers:
        rows, columns = (max(getattr(tile, side) for tile in layer.tiles) + 1 for side in ("row", "column"))
        width = max(columns * step, 3 * step)  # its heading needs as much
        if left and left + width > WIDEST:
            left, top = 0, lowest
        places.append((layer, left, top))
        lowest, right = max(lowest, top + HEAD + rows * step), max(right, left + width)
        left += width + step
    right = max(right, WIDEST)
    figure, axis = plt.subplots(figsize=(WIDTH, max(WIDTH * lowest / right, 1.2)))
    size = min(7.0, SIZE * WIDTH * 72 / right / 4.2)  # points, so that "32 × 32" is as wide as its array
    for layer, x, y in places:
        _layer(axis, layer, x, y, size)
    axis.set(xlim=(-2, right), ylim=(lowest, 0))
    axis.set_aspect("equal")
    axis.axis("off")
    return figure


def _layer(axis: plt.Axes, layer: LayerSpec, left: float, top: float, size: float) -> None:
    count = len(layer.tiles)
    axis.text(left, top + HEAD - 6, f"{layer.name.replace('_', ' ')}: {count} array{'s' if count > 1 else ''}, "
              f"{layer.n_outputs} × {layer.n_bit_lines}", va="bottom")
    for tile in layer.tiles:
        x, y = left + (SIZE + GAP) * tile.column, top + HEAD + (SIZE + GAP) * tile.row
        axis.add_patch(plt.Rectangle((x, y), SIZE, SIZE, facecolor="0.94", edgecolor="0.4", linewidth=0.8))
        axis.add_patch(plt.Rectangle((x, y), tile.n_lines, tile.n_outputs, facecolor="#0b5fa5", alpha=0.55))
        if count > 1 and size >= SMALLEST:
            axis.text(x + SIZE / 2, y + SIZE + 1, f"{tile.n_outputs} × {tile.n_lines}", ha="center", va="top", fontsize=size)
