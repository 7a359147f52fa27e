"""One look for every figure."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from cosim.simulation.store import write_atomically

TRUTH = {"color": "0.55", "linewidth": 3.5, "label": "truth"}
TORCH = {"color": "#0b5fa5", "linewidth": 1.6, "label": "torch"}
TWIN = {"color": "#d9480f", "linewidth": 1.3, "linestyle": (0, (5, 3)), "label": "circuit twin"}
RESNET = {"color": "#5c940d", "linewidth": 1.0, "label": "ResNet"}

TITLES = {"sine": "sine", "triangular": "triangular", "rectangular": "rectangular", "modulated_sine": "modulated sine"}

plt.rcParams.update({
    "figure.constrained_layout.use": True,
    "figure.dpi": 120,
    "font.size": 9.5,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "cosim",
})


def save(figure: plt.Figure, path: Path) -> Path:
    """Write the PNG and close the figure."""
    content = BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    plt.close(figure)
    write_atomically(path, content.getvalue())
    return path
