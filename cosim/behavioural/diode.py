"""The 1N4148 as the behavioural model sees it."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.parts import model_parameters

THERMAL = 1.380649e-23 * 300.15 / 1.602176634e-19  # V, kT/q at 27 degC (CODATA 2019)


@dataclass(frozen=True, kw_only=True)
class Diode:
    """i = saturation * (exp(v / n_vt) - 1); series resistance (0.6 ohm) and charge are left out."""

    saturation: float  # A
    n_vt: float  # V

    @classmethod
    def from_part(cls) -> Diode:
        """Set a of the part's own file, at 27 degC."""
        p = model_parameters("d1n4148", "d1n4148")
        return cls(saturation=p["is"], n_vt=p["n"] * THERMAL)
