"""The neural ODE of a device with delays: dx/dt = f(y, s), y = (x(t), x(t - 1), ..., x(t - N)) in steps.

It is integrated by local linearisation: over h steps x moves by h phi(J h) f, with J = df/dx of each observable itself and
phi(z) = (exp(z) - 1) / z. This is exact for a linear device of one observable and of second order for any; with several
observables a second evaluation of f at the new x makes it so (exponential Heun).
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.twins.field import Field
from training.twins.twin import Scale, Twin


def phi(z: Tensor) -> Tensor:
    """(exp(z) - 1) / z, 1 at 0, to about 1e-12."""
    small = z.abs() < 1e-4
    safe = torch.where(small, torch.ones_like(z), z)
    return torch.where(small, 1.0 + z / 2.0 + z * z / 6.0, torch.expm1(safe) / safe)


class ODETwin(Twin):
    """A deterministic twin.

    Args:
        hidden: neurons of f.
        seed: of f.
        others: as for Twin.
    """

    kind = "ode"

    def __init__(self, scale: Scale, n_inputs: int, delays: int, starts: Tensor, *, hidden: int = 24, seed: int = 0):
        super().__init__(scale, n_inputs, delays, starts)
        self.hidden = hidden
        self.field = Field(self.width + n_inputs, self.n_outputs, hidden, seed=seed)

    def flow(self, y: Tensor, s: Tensor, h: float) -> tuple[Tensor, Tensor]:
        """Observables h steps later without noise, and J [1/step] at y: both (..., n_outputs)."""
        n = self.n_outputs
        x = y[..., :n]
        f, slope = self.field.with_slopes(torch.cat([y, s], dim=-1))
        moved = x + h * phi(slope * h) * f
        if n > 1:
            again = self.field(torch.cat([moved, y[..., n:], s], dim=-1))
            weight = _second(slope * h)
            moved = moved + h * weight * (again - f - slope * (moved - x))
        return moved, slope

    def advance(self, y, a, s, h, draw):
        return self.flow(y, s, h)[0], a


def _second(z: Tensor) -> Tensor:
    """(exp(z) - 1 - z) / z^2, 1/2 at 0."""
    small = z.abs() < 1e-2
    safe = torch.where(small, torch.ones_like(z), z)
    return torch.where(small, 0.5 + z / 6.0 + z * z / 24.0 + z**3 / 120.0, (torch.expm1(safe) - safe) / safe**2)
