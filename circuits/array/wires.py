"""The wire segments of the array, on the chip."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.errors import CircuitError


@dataclass(frozen=True, kw_only=True)
class Wires:
    """The segment that each cell has of its bit line, and of its source line.

    Nominal values are those of a 180 nm process with 90 mohm per square and a pitch of 5 um.
    """

    resistance: float = 1.5  # ohm
    capacitance: float = 1e-15  # F

    def __post_init__(self) -> None:
        if self.resistance <= 0 or self.capacitance <= 0:
            raise CircuitError(
                f"wire segment of {self.resistance} ohm and {self.capacitance} F: both must be positive; "
                "for ideal wires use a small value such as 1e-6 ohm"
            )
