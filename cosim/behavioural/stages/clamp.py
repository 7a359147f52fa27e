"""Clamp: how far the amplifier behind it can pull a line, from the diode equation."""

from __future__ import annotations

import torch

from circuits.stages.clamp import R_S
from cosim.behavioural.arrays import Array, at_least, library, nowhere, where_only
from cosim.behavioural.stages.diode import Diode

SOFT = 5e-3  # V, over which a line bends into its limit; the op-amp's triode drop at the rail is 4 to 24 mV
BISECTIONS = 50
FAR = 40  # times SOFT below the limit, where exp(-40) of SOFT is bent off


@torch.no_grad()
def line_limit(load: torch.Tensor, rail: float, *, through_diode: bool = False) -> torch.Tensor:
    """Largest |v(line)| [V] that an amplifier at its rail holds: rail = v + r_s (load v + i_diode(v)), by bisection.

    Args:
        load: conductance on the line [S], any shape.
        rail: of the amplifier [V].
        through_diode: the ReLU stage's conducting diode is in series.
    """
    diode = Diode.from_part()
    low, high = torch.zeros_like(load), torch.full_like(load, rail)
    for _ in range(BISECTIONS):
        v = 0.5 * (low + high)
        current = load * v + diode.saturation * torch.expm1((v / diode.n_vt).clamp(max=60.0))
        needed = v + R_S * current
        if through_diode:
            needed = needed + diode.n_vt * torch.log1p(current / diode.saturation)
        low, high = torch.where(needed < rail, v, low), torch.where(needed < rail, high, v)
    return low


def limited(v: Array, limit: Array) -> Array:
    """v [V] bent into +-limit [V] over a few millivolts; v itself well below, where nothing is computed."""
    near = abs(v) - limit >= -FAR * SOFT
    return v if nowhere(near) else v - where_only(near, _bent_off, v, limit)


def _bent_off(v: Array, limit: Array) -> Array:
    """What v lies above the line that bends: SOFT log(1 + exp((|v| - limit) / SOFT)), with the sign of v."""
    xp, x = library(v), (abs(v) - limit) * (1 / SOFT)
    return xp.copysign(SOFT * (at_least(x, 0.0) + xp.log1p(xp.exp(-abs(x)))), v)
