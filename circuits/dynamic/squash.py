"""h(z): what a device is driven with for a weighted sum z, as the soft limiter of a network's deck has it."""

from __future__ import annotations

import numpy as np

from circuits.dynamic.limiter import limited
from circuits.stages.soft_limiter import R_A, R_B, R_LIM

VOLTS = 0.281  # V that the TIA gives per unit of z: h then has the slope 1/2 at 0, as tanh(z / 2) has
RAIL = 2.45  # V, where the TIA ends
POINTS = 401  # of the table, over half the circuit's range


def squash_table() -> tuple[np.ndarray, np.ndarray]:
    """z [1] and h [V] on a grid that is finer around 0, odd and rising; linear between its points within 2e-5 V.

    The limiter's equation by hand, without the op-amps' errors. Beyond the table h stays at its end, where the TIA does.
    """
    half = RAIL * np.linspace(0, 1, POINTS) ** 1.5
    volts = np.concatenate([-half[:0:-1], half])
    return volts / VOLTS, np.array([R_B / R_A * limited(v, R_LIM, R_A) for v in volts])


def squash(z: np.ndarray) -> np.ndarray:
    """h(z) [V] for z [1] of any shape."""
    return np.interp(z, *squash_table())
