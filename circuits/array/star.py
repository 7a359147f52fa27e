"""A star that replaces a mesh: one conductance per pin instead of one per pair of pins."""

from __future__ import annotations

import numpy as np

from circuits.errors import CircuitError

PRECISION = 1e-12  # of a pin's total
ROUNDS = 1000


def star(totals: np.ndarray) -> np.ndarray:
    """Conductances of the legs of a star in which each pin has a given total conductance to all other pins together.

    Between pins i and j the star puts c_i * c_j / sum(c). It keeps the sum of a mesh's conductances at each pin. The effect of
    the pin's own voltage, and of a voltage that the other pins have in common, therefore stays the same. With up to three
    pins the star equals the mesh.

    Args:
        totals: (pins,) [S], sum of the mesh's conductances at each pin. No total may be more than half of their sum.
    Returns:
        c: (pins,) [S].
    Raises:
        CircuitError: no star has these totals.
    """
    if not totals.any():
        return np.zeros_like(totals)
    legs = totals.copy()
    for _ in range(ROUNDS if totals.max() <= 0.5 * totals.sum() * (1 + PRECISION) else 0):
        before, legs = legs, totals / (1.0 - legs / legs.sum())
        if np.abs(legs - before).max() <= PRECISION * legs.max():
            return legs
    raise CircuitError(f"no star sees {', '.join(f'{total:.3g}' for total in totals)} S at its pins: one is more than half")
