"""Right-hand sides of twins: a linear part plus one hidden layer of tanh, and its derivative by some of the inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.errors import ModelError


class Field(nn.Module):
    """f(z) = L z + b + V tanh(W z + c), in float64.

    The linear part alone describes a linear device exactly, so the hidden layer has only what is bent to learn.

    Args:
        n_in, n_out, hidden: inputs, outputs, neurons of the hidden layer.
        seed: of W and c, uniform in +-1/sqrt(n_in); L, b and V start at 0.
    Raises:
        ModelError: a width below 1.
    """

    def __init__(self, n_in: int, n_out: int, hidden: int, *, seed: int):
        super().__init__()
        if min(n_in, n_out, hidden) < 1:
            raise ModelError(f"a field of {n_in} inputs, {hidden} neurons and {n_out} outputs; give 1 or more of each")
        draw = torch.Generator().manual_seed(seed)
        self.n_in, self.n_out, self.hidden = n_in, n_out, hidden
        self.linear = nn.Parameter(torch.zeros(n_in, n_out, dtype=torch.float64))
        self.offset = nn.Parameter(torch.zeros(n_out, dtype=torch.float64))
        self.inner = nn.Parameter((2.0 * torch.rand(n_in, hidden, generator=draw, dtype=torch.float64) - 1.0) * 1.5 / n_in**0.5)
        self.bias = nn.Parameter(2.0 * torch.rand(hidden, generator=draw, dtype=torch.float64) - 1.0)
        self.outer = nn.Parameter(torch.zeros(hidden, n_out, dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        """(..., n_in) to (..., n_out)."""
        return self.offset + z @ self.linear + torch.tanh(self.bias + z @ self.inner) @ self.outer

    def with_slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(z), and df_i/dz_i of the first n_out inputs: both (..., n_out)."""
        bent = torch.tanh(self.bias + z @ self.inner)
        values = self.offset + z @ self.linear + bent @ self.outer
        own = torch.arange(self.n_out)
        slopes = self.linear[own, own] + (1.0 - bent * bent) @ (self.inner[: self.n_out].T * self.outer)
        return values, slopes
