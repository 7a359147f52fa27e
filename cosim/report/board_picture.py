"""The board on one small picture: arrays with their conductances, amplifiers, integrators, and the loop."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from circuits.board.board import BoardSpec
from cosim.report.style import styled

LINE = "#333333"
LOOP = "#d9480f"
LEVEL = 0.5  # height of the signal path


@styled
def board_picture(board: BoardSpec, conductances: Sequence[np.ndarray]) -> plt.Figure:
    """Signal path from left to right, the states' way back below it.

    Args:
        conductances: of the first array of each layer, (32, 32) [S].
    """
    figure, axis = plt.subplots(figsize=(9.6, 2.9))
    axis.set_aspect("equal")
    axis.axis("off")
    at = 0.0
    axis.text(at, LEVEL + 0.13, "u, x", ha="right", va="center")
    start = at
    for layer, g in zip(board.layers, conductances, strict=True):
        at = _arrow(axis, at, at + 0.35)
        at = _array(axis, at, layer.name.replace("_", " "), g, f"{layer.n_bit_lines} × {layer.n_outputs} cells in use")
        at = _arrow(axis, at, at + 0.25)
        at = _amplifier(axis, at, ("TIA + ReLU" if layer.relu else "TIA") + ("" if layer.last else ", inverter"))
    at = _arrow(axis, at, at + 0.35, "−dx/dt")
    at = _integrator(axis, at)
    at = _arrow(axis, at, at + 0.45, "x")
    _back(axis, at - 0.15, start + 0.15)
    axis.set_xlim(-0.3, at + 0.1)
    axis.set_ylim(-0.62, 1.32)
    return figure


def _arrow(axis: plt.Axes, start: float, stop: float, label: str = "") -> float:
    axis.add_patch(FancyArrowPatch((start, LEVEL), (stop, LEVEL), arrowstyle="-|>", mutation_scale=9, color=LINE, shrinkA=0,
                                   shrinkB=0))
    if label:
        axis.text((start + stop) / 2, LEVEL + 0.1, label, ha="center", fontsize=8)
    return stop


def _array(axis: plt.Axes, at: float, name: str, g: np.ndarray, used: str) -> float:
    axis.imshow(1e6 * g, extent=(at, at + 1, 0, 1), vmin=20, vmax=100, cmap="viridis", interpolation="nearest", zorder=2)
    axis.add_patch(Rectangle((at, 0), 1, 1, fill=False, edgecolor=LINE, linewidth=1, zorder=3))
    axis.text(at + 0.5, 1.13, name, ha="center")
    axis.text(at + 0.5, -0.13, f"32 × 32 1T1R\n{used}", ha="center", va="top", fontsize=7, color="0.35")
    return at + 1


def _amplifier(axis: plt.Axes, at: float, label: str) -> float:
    axis.add_patch(Polygon([(at, LEVEL + 0.27), (at, LEVEL - 0.27), (at + 0.42, LEVEL)], closed=True, facecolor="white",
                           edgecolor=LINE))
    axis.text(at + 0.21, LEVEL + 0.36, label, ha="center", fontsize=7)
    axis.text(at + 0.03, LEVEL, "OPA\n4990", va="center", fontsize=4.8, color="0.35")
    return at + 0.42


def _integrator(axis: plt.Axes, at: float) -> float:
    axis.add_patch(Rectangle((at, LEVEL - 0.3), 0.6, 0.6, facecolor="white", edgecolor=LINE))
    axis.text(at + 0.3, LEVEL, "∫", ha="center", va="center", fontsize=18)
    axis.text(at + 0.3, LEVEL + 0.37, "integrator", ha="center", fontsize=7)
    axis.text(at + 0.3, LEVEL - 0.37, "pre-charged to x(0)\nthrough TMUX1134", ha="center", va="top", fontsize=6.5,
              color="0.35")
    return at + 0.6


def _back(axis: plt.Axes, start: float, stop: float) -> None:
    """The states' way back to the first array."""
    low = -0.5
    axis.plot([start, start, stop, stop], [LEVEL, low, low, LEVEL - 0.03], color=LOOP, linewidth=1.6, zorder=1)
    axis.add_patch(FancyArrowPatch((stop, low + 0.2), (stop, LEVEL), arrowstyle="-|>", mutation_scale=9, color=LOOP, shrinkA=0,
                                   shrinkB=0))
    axis.text((start + stop) / 2, low + 0.04, "closed loop: no clock, no converter", ha="center", va="bottom", fontsize=8,
              color=LOOP)
