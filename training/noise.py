"""Programming noise during training: the network sees its weights as memristor pairs would hold them.

The weights and the bias of a layer become differential pairs w = (g_p - g_n)/g_scale with the idle device at g_min. Each
conductance is rounded to a level and multiplied by 1 + spread * N(0, 1). The inputs of a layer share the same full-scale
voltage, and the bias is one more column at that voltage, so that a weight counts in proportion to the range of its input.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.errors import TrainingError

Layers = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class WeightNoise:
    """What programming does to a conductance. The figures are those of an array, given by whoever trains for that array."""

    g_min: float  # S
    g_max: float  # S
    levels: int  # number of levels, equidistant over the window with both ends included
    spread: float  # standard deviation of the relative error, whose mean magnitude is sqrt(2 / pi) of it

    def __post_init__(self):
        if not 0.0 <= self.g_min < self.g_max:
            raise TrainingError(f"g_min = {self.g_min} S must lie between 0 and g_max = {self.g_max} S")
        if self.levels < 2 or not self.spread >= 0.0:
            raise TrainingError(f"levels = {self.levels} must be 2 or more and spread = {self.spread} 0 or more")

    def conductances(self, w: Tensor, draw: torch.Generator) -> Tensor:
        """Programmed conductances [S] of the same shape for targets w in [0, 1] of the window; differentiable in w."""
        step = 1.0 / (self.levels - 1)
        level = w + (step * torch.round(w.detach() / step) - w.detach())  # the gradient passes straight through the rounding
        g = self.g_min + level * (self.g_max - self.g_min)
        return g * (1.0 + self.spread * torch.randn(g.shape, generator=draw, dtype=g.dtype))


def program(
    layers: Layers, full_scale: Sequence[Tensor], noise: WeightNoise, *, boards: int, draw: torch.Generator
) -> Layers:
    """Program a network on several boards at once.

    Args:
        layers: for every layer (weight (out, in), bias (out,)).
        full_scale: for every layer its largest input magnitudes, (in,) or a scalar, in the units of its inputs.
        noise: what programming does to a conductance.
        noise: of the array.
        boards: independent draws of the programming error.
    Returns:
        For every layer (weight (boards, out, in), bias (boards, out)) as the boards realise them; differentiable.
    """
    realised = []
    for (weight, bias), scale in zip(layers, full_scale, strict=True):
        target = torch.cat([weight * scale, bias[:, None]], dim=1)
        largest = target.abs().amax()
        target = (target / largest).expand(boards, *target.shape)
        g_p = noise.conductances(target.clamp_min(0.0), draw)
        g_n = noise.conductances((-target).clamp_min(0.0), draw)
        w = (g_p - g_n) * largest / (noise.g_max - noise.g_min)
        realised.append((w[..., :-1] / scale, w[..., -1]))
    return realised


def apply_layers(layers: Layers, x: Tensor) -> Tensor:
    """Run the layers of many boards, (boards, out, in) each, on inputs (boards, batch, in), with ReLU between layers."""
    for k, (weight, bias) in enumerate(layers):
        x = torch.baddbmm(bias[:, None, :], x if k == 0 else torch.relu(x), weight.transpose(1, 2))
    return x
