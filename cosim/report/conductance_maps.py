"""What is programmed into the arrays."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from cosim.report.style import styled


@styled
def conductance_maps(arrays: Mapping[str, np.ndarray], used: Mapping[str, tuple[int, int]]) -> plt.Figure:
    """Map of every array, and the histogram of the cells in use.

    Args:
        arrays: layer -> (32, 32) [S], row = source line, column = bit line.
        used: layer -> (rows, columns) in use.
    """
    figure, axes = plt.subplots(1, len(arrays) + 1, figsize=(13.5, 3.5), width_ratios=[1] * len(arrays) + [1.25])
    values = []
    for axis, (name, g) in zip(axes, arrays.items(), strict=False):
        image = axis.imshow(1e6 * g, vmin=20, vmax=100, cmap="viridis", interpolation="nearest")
        rows, columns = used[name]
        axis.add_patch(plt.Rectangle((-0.5, -0.5), columns, rows, fill=False, edgecolor="white", linewidth=1.5))
        axis.set(title=name.replace("_", " "), xlabel="bit line")
        axis.grid(False)
        values.append(1e6 * g[:rows, :columns].ravel())
    axes[0].set_ylabel("source line")
    figure.colorbar(image, ax=axes[: len(arrays)], label="conductance [µS]", shrink=0.85)
    axes[-1].hist(values, bins=np.arange(18, 104, 2), stacked=True, label=[n.replace("_", " ") for n in arrays])
    axes[-1].set(xlabel="conductance [µS]", ylabel="cells in use", yscale="log", title="programmed conductances")
    axes[-1].legend()
    return figure
