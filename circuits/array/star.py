"""A star in the place of a mesh: as many conductances as pins."""

from __future__ import annotations

import numpy as np

from circuits.errors import CircuitError

PRECISION = 1e-12  # of a pin's total
ROUNDS = 1000


def star(totals: np.ndarray) -> np.ndarray:
    """Conductances of a star's legs, so that every pin sees the others together through the conductance it is given.

    Between pins i and j the star puts c_i * c_j / sum(c). Of a mesh it keeps each pin's sum, and so what the pin's own
    voltage and a voltage common to the others do; up to three pins it is the mesh.

    Args:
        totals: (pins,) [S], sums of a mesh's conductances at each pin; none over half of all together.
    Returns:
        c: (pins,) [S].
    Raises:
        CircuitError: no star has these sums.
    """
    if not totals.any():
        return np.zeros_like(totals)
    legs = totals.copy()
    for _ in range(ROUNDS if totals.max() <= 0.5 * totals.sum() * (1 + PRECISION) else 0):
        before, legs = legs, totals / (1.0 - legs / legs.sum())
        if np.abs(legs - before).max() <= PRECISION * legs.max():
            return legs
    raise CircuitError(f"no star sees {', '.join(f'{total:.3g}' for total in totals)} S at its pins: one is more than half")
