"""A neural SDE of one observable that is no longer fitted: its step from tables, some five times faster than from integrals.

Given tau and A, everything that a step needs from J = df/dx is a smooth function of this one number: phi(J h), the coupling of
x to each auxiliary, and the share of each kick in x. They are interpolated by polynomials at Chebyshev points over the interval
that J cannot leave, which follows from the weights of f, because the slope of tanh lies between 0 and 1.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

TOLERANCE = 1e-7  # of the tables, relative to each one's largest value
WIDEST = 30.0  # 1/step, interval of J beyond which no table is made
DEGREES = (6, 8, 10, 12, 16, 20, 24, 30)


class _Polynomial(torch.autograd.Function):
    """Chebyshev series of many functions at t (...,): (..., functions); coefficients (degree + 1, functions)."""

    @staticmethod
    def forward(ctx, t: Tensor, coefficients: Tensor, slopes: Tensor) -> Tensor:
        basis = _basis(t, len(coefficients))
        ctx.save_for_backward(basis, slopes)
        return basis @ coefficients

    @staticmethod
    def backward(ctx, grad: Tensor):
        basis, slopes = ctx.saved_tensors
        return (grad * (basis[..., : len(slopes)] @ slopes)).sum(-1), None, None


def _basis(t: Tensor, count: int) -> Tensor:
    """Chebyshev polynomials 0 to count - 1 at t."""
    rows = torch.empty((count, *t.shape), dtype=t.dtype)
    rows[0], rows[1] = 1.0, t
    twice = 2.0 * t
    for k in range(2, count):
        torch.mul(twice, rows[k - 1], out=rows[k]).sub_(rows[k - 2])
    return rows.movedim(0, -1)


class Tables:
    """The tables of a twin for steps of h.

    Args:
        twin: an SDETwin of one observable, whose parameters do not change from now on.
        h: part of a step.
        dtype: of the steps; the tables are made in the twin's own, float64.
    """

    def __init__(self, twin, h: float, dtype: torch.dtype):
        low, high = slope_range(twin)
        self.centre, self.half = 0.5 * (low + high), max(0.5 * (high - low), 1e-3)
        self.h, self.m = h, twin.n_auxiliaries
        self.series, check = None, np.linspace(-1.0, 1.0, 301)
        truth = self._functions(twin, check)
        for degree in DEGREES:
            found = np.polynomial.chebyshev.chebfit(points := np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)),
                                                    self._functions(twin, points), degree)
            error = np.abs(np.polynomial.chebyshev.chebval(check, found).T - truth).max(0) / np.abs(truth).max(0).clip(1e-30)
            if error.max() < TOLERANCE:
                self.series = torch.from_numpy(found).to(dtype)
                self.slopes = torch.from_numpy(np.polynomial.chebyshev.chebder(found)).to(dtype)
                break
        with torch.no_grad():
            self.decay = torch.exp(-h / twin.tau).to(dtype)
            self.ease = (0.5 * twin.tau * (1.0 - torch.exp(-2.0 * h / twin.tau))).sqrt().to(dtype)  # of a, per unit of g_a

    @property
    def fine(self) -> bool:
        """Whether the tables are as exact as they should be."""
        return self.series is not None

    def _functions(self, twin, t: np.ndarray) -> np.ndarray:
        """(points, 2 + 3 m): h phi, own variance, coupling, slant and what remains of each kick."""
        return twin.noise_of_slope(torch.from_numpy(self.centre + self.half * t), self.h).double().numpy()

    def __call__(self, slope: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """phi h (...), own (...), coupling, slant, rest (..., m) of slopes (...)."""
        values = _Polynomial.apply((slope - self.centre) / self.half, self.series, self.slopes)
        phi, own, *others = values.split([1, 1, self.m, self.m, self.m], dim=-1)
        return phi, own, *others


def slope_range(twin) -> tuple[float, float]:
    """Interval [1/step] that J = df/dx of one observable cannot leave."""
    field = twin.field
    part = (field.inner[0] * field.outer[:, 0]).detach().double()
    linear = float(field.linear[0, 0])
    return linear + float(part.clamp_max(0.0).sum()), linear + float(part.clamp_min(0.0).sum())
