"""One look for every figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import ParamSpec

import matplotlib.pyplot as plt

from cosim.store.files import write_atomically

TRUTH = {"color": "0.55", "linewidth": 3.5, "label": "truth"}
TORCH = {"color": "#0b5fa5", "linewidth": 1.6, "label": "torch"}
TWIN = {"color": "#d9480f", "linewidth": 1.3, "linestyle": (0, (5, 3)), "label": "circuit twin"}
RESNET = {"color": "#5c940d", "linewidth": 1.0, "label": "ResNet"}

TITLES = {"sine": "sine", "triangular": "triangular", "rectangular": "rectangular", "modulated_sine": "modulated sine"}

P = ParamSpec("P")
STYLE = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 120,
    "font.size": 9.5,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def styled(draw: Callable[P, plt.Figure]) -> Callable[P, plt.Figure]:
    """A drawing function in this style, which leaves the settings of whoever calls it alone."""
    @wraps(draw)
    def drawn(*args: P.args, **how: P.kwargs) -> plt.Figure:
        with plt.rc_context(STYLE):
            return draw(*args, **how)

    return drawn


def png(figure: plt.Figure) -> bytes:
    """The picture as PNG; closes the figure."""
    content = BytesIO()
    with plt.rc_context(STYLE):  # ticks are made when they are drawn
        figure.savefig(content, format="png", metadata={"Software": None})
    plt.close(figure)
    return content.getvalue()


def save(figure: plt.Figure, path: Path) -> Path:
    """Write the PNG and close the figure."""
    write_atomically(path, png(figure))
    return path
