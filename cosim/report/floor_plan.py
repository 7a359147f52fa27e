"""Floor plan: the arrays of every layer and what is used of them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt

from circuits.array.crossbar import SIZE
from circuits.board.layer import LayerSpec
from cosim.report.style import styled

GAP = 12  # lines, between tiles


@styled
def floor_plan(layers: Sequence[LayerSpec]) -> plt.Figure:
    """One group a layer, one square a 32x32 array, the cells in use filled.

    Args:
        layers: of a board.
    """
    figure, axis = plt.subplots(figsize=(13.5, 3.2))
    step, left = SIZE + GAP, 0
    for layer in layers:
        for tile in layer.tiles:
            x, y = left + step * (tile.first_line // SIZE), step * (tile.first_output // SIZE)
            axis.add_patch(plt.Rectangle((x, y), SIZE, SIZE, facecolor="0.94", edgecolor="0.4"))
            axis.add_patch(plt.Rectangle((x, y), tile.n_lines, tile.n_outputs, facecolor="#0b5fa5", alpha=0.55))
            axis.text(x + SIZE / 2, y + SIZE + 1, f"{tile.n_outputs} × {tile.n_lines}", ha="center", va="top", fontsize=7)
        count = len(layer.tiles)
        axis.text(left, -4, f"{layer.name.replace('_', ' ')}: {count} array{'s' if count > 1 else ''}", va="bottom")
        left += step * (max(tile.first_line for tile in layer.tiles) // SIZE + 1) + step
    axis.set_aspect("equal")
    axis.autoscale_view()
    axis.invert_yaxis()
    axis.axis("off")
    return figure
