"""What programming a real array adds to the wanted conductances: levels, programming error and stuck cells."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from circuits.array.window import Window
from circuits.errors import CircuitError

PUBLISHED_ERROR = 0.022  # mean relative programming error, continuous-time digital twin paper
PUBLISHED_LEVELS = 64
PUBLISHED_YIELD = 0.973


@dataclass(frozen=True, kw_only=True)
class Programming:
    """How conductances are programmed. The nominal array takes any conductance, exactly, in every cell."""

    levels: int | None = None  # number of levels, equally spaced over the window; None: any conductance
    error: float = 0.0  # mean relative error of a normal distribution, whose sigma is error * sqrt(pi / 2)
    cell_yield: float = 1.0  # part of the cells that can be programmed; the others are stuck at g_min or g_max, evenly
    seed: int = 0

    def __post_init__(self) -> None:
        if self.levels is not None and self.levels < 2:
            raise CircuitError(f"levels = {self.levels}: need at least 2, or none for analogue conductances")
        if not 0 <= self.error < 0.5:
            raise CircuitError(f"programming error = {self.error}: a mean relative error between 0 and 0.5")
        if not 0 < self.cell_yield <= 1:
            raise CircuitError(f"cell yield = {self.cell_yield}: a part between 0 (excluded) and 1")

    @property
    def spread(self) -> float:
        """Standard deviation of the relative error."""
        return self.error * sqrt(pi / 2)

    def apply(self, g: np.ndarray, window: Window, layer: int, row: int = 0, column: int = 0) -> np.ndarray:
        """Conductances as programmed.

        Args:
            g: (rows, cols) [S], wanted.
            window: levels and stuck cells lie in it.
            layer, row, column: which array of the board, from layer 1 on; each has a random stream of its own.
        Returns:
            (rows, cols) [S]. The error is relative to the level that was aimed at and takes cells beyond the ends of the
            window, as it does in an array that was measured.
        """
        rng = np.random.default_rng([self.seed, layer, row, column])
        normal = rng.standard_normal(g.shape)
        out = g.copy()
        if self.levels is not None:
            step = window.span / (self.levels - 1)
            out = window.g_min + np.clip(np.round((out - window.g_min) / step), 0, self.levels - 1) * step
        if self.error:
            out = out * np.maximum(1.0 + self.spread * normal, 1e-3)
        if self.cell_yield == 1:
            return out
        dead, high = rng.random(g.shape), rng.random(g.shape) < 0.5
        return np.where(dead < self.cell_yield, out, np.where(high, window.g_max, window.g_min))


def published_programming(seed: int = 0) -> Programming:
    """64 levels and 2.2 % mean relative error, the published array, every cell alive."""
    return Programming(levels=PUBLISHED_LEVELS, error=PUBLISHED_ERROR, seed=seed)
