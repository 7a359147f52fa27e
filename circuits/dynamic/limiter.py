"""The soft limiter of two anti-parallel diodes, by hand: what the decks of the devices are held against."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from circuits.parts import model_parameters

THERMAL = 1.380649e-23 * 300.15 / 1.602176634e-19  # V, at ngspice's 27 degC


def limited(source: float, r_lim: float, r_load: float) -> float:
    """Voltage [V] at two anti-parallel 1N4148 that a source [V] drives through r_lim [ohm], beside a load [ohm] to 0 V.

    Solves (source - v) / r_lim = v / r_load + 2 is sinh(v / (n v_t)); the diodes' 0.6 ohm of series resistance is left out.
    """
    diode = model_parameters("d1n4148", "d1n4148")
    width = diode["n"] * THERMAL

    def surplus(v: float) -> float:
        return (source - v) / r_lim - v / r_load - 2 * diode["is"] * np.sinh(v / width)

    bound = min(abs(source), 1.0)
    return 0.0 if source == 0 else float(brentq(surplus, -bound, bound, xtol=1e-12))


def knee(r_lim: float, r_load: float) -> tuple[float, float]:
    """Source voltage and limited voltage [V] at which the limiter's slope has fallen to half: the diodes then conduct as much
    as the two resistors, 2 is cosh(v / (n v_t)) / (n v_t) = 1 / r_lim + 1 / r_load."""
    diode = model_parameters("d1n4148", "d1n4148")
    width = diode["n"] * THERMAL
    v = width * np.arccosh(width * (1 / r_lim + 1 / r_load) / (2 * diode["is"]))
    return float(v + r_lim * (v / r_load + 2 * diode["is"] * np.sinh(v / width))), float(v)
