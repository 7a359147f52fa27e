"""What is programmed into the arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.window import Window
from circuits.board.layer import LayerSpec
from cosim.report.style import styled

PER_ROW = 4  # panels, the histogram among them


@styled
def conductance_maps(layers: Sequence[LayerSpec], arrays: Mapping[str, np.ndarray], window: Window) -> plt.Figure:
    """One map per layer, its arrays side by side as in the floor plan, and a histogram of the cells in use.

    Args:
        layers: of a board.
        arrays: array's name -> (32, 32) [S] as programmed, row = source line, column = bit line.
        window: what the colours reach over.
    """
    panels = len(layers) + 1
    rows, columns = -(-panels // PER_ROW), min(panels, PER_ROW)
    figure, axes = plt.subplots(rows, columns, figsize=(13.5, 3.5 * rows), squeeze=False)
    maps, last = axes.flat[: len(layers)], axes.flat[len(layers)]
    for axis in axes.flat[panels:]:
        axis.axis("off")
    values = []
    for axis, layer in zip(maps, layers, strict=True):
        image = _map(axis, layer, arrays, window)
        values.append(1e6 * np.concatenate([arrays[tile.name][: tile.n_outputs, : tile.n_lines].ravel()
                                            for tile in layer.tiles]))
    for axis in axes[:, 0]:
        axis.set_ylabel("source line")
    figure.colorbar(image, ax=list(maps), label="conductance [µS]", shrink=0.85)
    names = [layer.name.replace("_", " ") for layer in layers]
    low, high = min(map(np.min, values)), max(map(np.max, values))
    last.hist(values, bins=np.linspace(np.floor(low) - 1, np.ceil(high) + 1, 44), stacked=True, label=names)
    last.set(xlabel="conductance [µS]", ylabel="cells in use", yscale="log", title="programmed conductances")
    last.legend()
    return figure


def _map(axis: plt.Axes, layer: LayerSpec, arrays: Mapping[str, np.ndarray], window: Window) -> plt.cm.ScalarMappable:
    tiles = layer.tiles
    rows, columns = (SIZE * (max(getattr(tile, side) for tile in tiles) + 1) for side in ("row", "column"))
    whole = np.empty((rows, columns))
    for tile in tiles:
        whole[tile.first_output : tile.first_output + SIZE, tile.first_line : tile.first_line + SIZE] = arrays[tile.name]
    image = axis.imshow(1e6 * whole, vmin=1e6 * window.g_min, vmax=1e6 * window.g_max, cmap="viridis",
                        interpolation="nearest")
    for edge in range(SIZE, columns, SIZE):
        axis.axvline(edge - 0.5, color="black", linewidth=0.6)
    for edge in range(SIZE, rows, SIZE):
        axis.axhline(edge - 0.5, color="black", linewidth=0.6)
    axis.add_patch(plt.Rectangle((-0.5, -0.5), layer.n_bit_lines, layer.n_outputs, fill=False, edgecolor="white",
                                 linewidth=1.5))
    count = len(tiles)
    axis.set(title=layer.name.replace("_", " ") + (f", {count} arrays" if count > 1 else ""), xlabel="bit line")
    axis.grid(False)
    return image
