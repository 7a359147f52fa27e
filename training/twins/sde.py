"""The neural SDE of a device: dx = (f(y, s) + A a) dt + g_1(y, s) dW, da = -a / tau dt + g_a(y, s) dV, time in steps.

One network gives g_1 and g_a; dW and dV are independent, one per observable and auxiliary. During h steps g_1 and g_a are held
and f is linearised about its start, so that x and a together are Gaussian with the mean and covariance of the exact solution.
A step of h is therefore not an Euler step: neither mean nor noise depends on h but through the change of g and J in between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from training.twins.field import Field
from training.twins.frozen import WIDEST, Tables, slope_range
from training.twins.ode import ODETwin, phi
from training.twins.twin import Scale, State

LEAST_TAU = 0.25  # steps; faster noise is white within a step, which is what g_1 is for
FLOOR = 1e-4  # standard deviations of the observable per sqrt(step), least g: a likelihood needs some noise
_NODES, _WEIGHTS = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(4))


class Transition(NamedTuple):
    """The Gaussian of x and a after h steps, given y and s: x is moved + coupling a plus noise, a is decay a plus noise."""

    moved: Tensor  # (..., n)
    coupling: Tensor  # (..., n, m)
    decay: Tensor  # (m,)
    own: Tensor  # (..., n) variance of x by g_1
    shared: Tensor  # (..., n, m) covariance of x and a
    auxiliary: Tensor  # (..., m) variance of a
    through: Tensor  # (..., n, n) covariance of x by the noise of a


class SDETwin(ODETwin):
    """A twin with noise of its own.

    Args:
        n_auxiliaries: auxiliary states, at least 1.
        noise_hidden: neurons of the network of g_1 and g_a.
        others: as for ODETwin.
    """

    kind = "sde"
    tables: Tables | None = None

    def __init__(self, scale: Scale, n_inputs: int, delays: int, starts: Tensor, *, hidden: int = 24, n_auxiliaries: int = 3,
                 noise_hidden: int = 12, seed: int = 0):
        super().__init__(scale, n_inputs, delays, starts, hidden=hidden, seed=seed)
        self.n_auxiliaries, self.noise_hidden = n_auxiliaries, noise_hidden
        self.noise = Field(self.width + n_inputs, self.n_outputs + n_auxiliaries, noise_hidden, seed=seed + 1)
        self.mix = nn.Parameter(torch.ones(self.n_outputs, n_auxiliaries, dtype=torch.float64))  # A
        self.log_tau = nn.Parameter(torch.logspace(0.0, 1.0, n_auxiliaries + 1, dtype=torch.float64)[:-1].log())
        with torch.no_grad():
            self.noise.offset.fill_(-3.5)  # softplus(-3.5) = 0.03: noise of some percent

    @property
    def tau(self) -> Tensor:
        """(m,) steps."""
        return LEAST_TAU + self.log_tau.exp()

    def noises(self, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """g_1 (..., n) and g_a (..., m), per sqrt(step)."""
        g = FLOOR + nn.functional.softplus(self.noise(torch.cat([y, s], dim=-1)))
        return g[..., : self.n_outputs], g[..., self.n_outputs :]

    def resting_variance(self, y: Tensor) -> Tensor:
        """Variance (..., m) of auxiliaries that have run under y and no drive for long, g_a^2 tau / 2."""
        _, g_a = self.noises(y, y.new_zeros(*y.shape[:-1], self.n_inputs))
        return g_a**2 * self.tau / 2.0

    def rested(self, y, draw):
        ease = self.resting_variance(y).sqrt()
        return State(y, ease * torch.randn(ease.shape, generator=draw, dtype=y.dtype))

    def transition(self, y: Tensor, s: Tensor, h: float) -> Transition:
        """The Gaussian of h steps from y under s."""
        moved, slope = self.flow(y, s, h)
        g_1, g_a = self.noises(y, s)
        at, rate, end, kick, decayed, weighted = self._kicks(slope, h)
        power = g_a**2
        return Transition(
            moved=moved, coupling=self.mix * (end * h) * phi(at * h), decay=end,
            own=g_1**2 * h * phi(2.0 * slope * h),
            shared=power[..., None, :] * (kick * (decayed * weighted)).sum(-1),
            auxiliary=power * (0.5 * self.tau * (1.0 - torch.exp(-2.0 * rate * h))),
            through=torch.einsum("...imu,...jmu,...m->...ij", kick, kick * weighted, power) if self.n_outputs > 1 else
            (power[..., None, :] * (kick * kick * weighted).sum(-1)).sum(-1, keepdim=True),
        )

    def freeze(self, dtype: torch.dtype) -> None:
        """Make tables of a dtype for the twin's step; parameters must not change afterwards. One observable only, else none."""
        low, high = slope_range(self) if self.n_outputs == 1 else (0.0, 2.0 * WIDEST)
        tables = Tables(self, 1.0 / self.substeps, dtype) if high - low <= WIDEST else None
        self.tables = tables if tables is not None and tables.fine else None

    @torch.no_grad()
    def noise_of_slope(self, slope: Tensor, h: float) -> Tensor:
        """What a step needs of J (points,), one observable, per unit of g: (points, 2 + 3 m), see Tables."""
        slope = slope.to(self.log_tau.dtype)[:, None]
        at, rate, end, kick, decayed, weighted = self._kicks(slope, h)
        ease = (0.5 * self.tau * (1.0 - torch.exp(-2.0 * rate * h))).sqrt()
        slant = (kick * (decayed * weighted)).sum(-1)[:, 0] / ease
        through = (kick * kick * weighted).sum(-1)[:, 0]
        coupling = (self.mix * (end * h) * phi(at * h))[:, 0]
        return torch.cat([h * phi(slope * h), h * phi(2.0 * slope * h), coupling, slant, through - slant**2], dim=1)

    def _kicks(self, slope: Tensor, h: float) -> tuple[Tensor, ...]:
        """What a unit of a, or a kick to a at a time u before the end, does to x: A exp(-rate u) u phi((J + rate) u)."""
        rate = 1.0 / self.tau
        u = (0.5 * h * (_NODES + 1.0)).to(slope.dtype)
        at = slope[..., None] + rate  # (..., n, m)
        decayed = torch.exp(-rate[:, None] * u)  # (m, nodes)
        kick = self.mix[..., None] * (decayed * u) * phi(at[..., None] * u)  # (..., n, m, nodes)
        return at, rate, torch.exp(-rate * h), kick, decayed, (0.5 * h) * _WEIGHTS.to(slope.dtype)

    def _advance_by_tables(self, y: Tensor, a: Tensor, s: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        f, slope = self.field.with_slopes(torch.cat([y, s], dim=-1))
        g_1, g_a = self.noises(y, s)
        gain, own, coupling, slant, rest = self.tables(slope[..., 0])
        white, kicks = torch.randn((*a.shape[:-1], 1 + self.n_auxiliaries), generator=draw, dtype=y.dtype).split(
            [1, self.n_auxiliaries], dim=-1)
        pushed = g_a * kicks
        spread = (g_1**2 * own + (g_a**2 * rest).sum(-1, keepdim=True)).clamp_min(1e-12).sqrt()
        x = y[..., :1] + gain * f + (coupling * a + slant * pushed).sum(-1, keepdim=True) + spread * white
        return x, self.tables.decay * a + self.tables.ease * pushed

    def advance(self, y, a, s, h, draw):
        if self.tables is not None and h == self.tables.h:
            return self._advance_by_tables(y, a, s, draw)
        t = self.transition(y, s, h)
        white, kicks = torch.randn((*a.shape[:-1], self.n_outputs + self.n_auxiliaries), generator=draw, dtype=y.dtype).split(
            [self.n_outputs, self.n_auxiliaries], dim=-1)
        spread = t.auxiliary.sqrt()
        slanted = t.shared / spread[..., None, :]  # x moves by this much per kick
        x = t.moved + (t.coupling * a[..., None, :]).sum(-1) + (slanted * kicks[..., None, :]).sum(-1)
        if self.n_outputs == 1:
            rest = t.own + (t.through[..., 0] - (slanted**2).sum(-1))
            x = x + rest.clamp_min(1e-12).sqrt() * white
        else:
            rest = torch.diag_embed(t.own + 1e-12) + t.through - slanted @ slanted.transpose(-1, -2)
            x = x + (torch.linalg.cholesky(rest) @ white[..., None])[..., 0]
        return x, t.decay * a + spread * kicks
