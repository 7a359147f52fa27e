"""The 1N4148 as the behavioural model sees it."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from circuits.corners.corner import CORNERS, NOMINAL_TEMPERATURE, Corner
from circuits.parts import model_parameters

THERMAL = 1.380649e-23 * 300.15 / 1.602176634e-19  # V, kT/q at 27 degC (CODATA 2019)
GAP, XTI = 1.11, 3.0  # eV, dimensionless: SPICE's defaults of a diode's eg and xti


@dataclass(frozen=True, kw_only=True)
class Diode:
    """i = saturation * (exp(v / n_vt) - 1); series resistance (0.6 ohm) and charge are left out."""

    saturation: float  # A
    n_vt: float  # V

    @classmethod
    def from_part(cls, corner: Corner = CORNERS["nominal"]) -> Diode:
        """Figures of the part's own file; at other temperatures by SPICE's own law, with its default eg and xti."""
        p = model_parameters("d1n4148", "d1n4148" if corner.diode == "a" else "d1n4148_b")
        ratio = (corner.temperature + 273.15) / (NOMINAL_TEMPERATURE + 273.15)
        n_vt = p["n"] * THERMAL * ratio
        drift = ratio ** (XTI / p["n"]) * exp((ratio - 1) * GAP / n_vt) if corner.diode_drifts else 1.0
        return cls(saturation=p["is"] * drift, n_vt=n_vt)
