"""The memristors' programmable conductance window."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.errors import CircuitError


@dataclass(frozen=True, kw_only=True)
class Window:
    """Conductances between which a memristor can be programmed.

    The nominal window is that of a TiN/TaOx/Ta2O5/TiN cell, 20 to 100 uS (continuous-time digital twin paper).
    """

    g_min: float = 20e-6  # S
    g_max: float = 100e-6  # S

    def __post_init__(self) -> None:
        if not 0 < self.g_min < self.g_max < 1:
            raise CircuitError(
                f"conductance window {self.g_min} S to {self.g_max} S: need 0 < g_min < g_max < 1 S; check the unit"
            )

    @property
    def span(self) -> float:
        """Width of the window [S]."""
        return self.g_max - self.g_min
