"""An LSTM as a twin, to compare with: it takes the input and the observables of a row and predicts the change to the next."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.errors import TwinError
from training.twins.twin import Scale, State, Twin


class LSTMTwin(Twin):
    """A deterministic recurrent twin; Hochreiter and Schmidhuber, Neural Comput. 9, 1735 (1997).

    It has no time inside a step, so it knows no substeps.

    Args:
        cells: memory cells.
        seed: of the weights, uniform in +-1/sqrt(cells).
        others: as for Twin.
    """

    kind = "lstm"

    def __init__(self, scale: Scale, n_inputs: int, delays: int, starts: Tensor, *, cells: int = 8, seed: int = 0):
        super().__init__(scale, n_inputs, delays, starts)
        self.cells = cells
        draw = torch.Generator().manual_seed(seed)
        size = self.width + n_inputs + cells
        self.gates = nn.Parameter((2.0 * torch.rand(size, 4 * cells, generator=draw, dtype=torch.float64) - 1.0) / cells**0.5)
        self.bias = nn.Parameter(torch.zeros(4 * cells, dtype=torch.float64))
        self.readout = nn.Parameter(torch.zeros(cells, self.n_outputs, dtype=torch.float64))

    @classmethod
    def as_large_as(cls, parameters: int, scale: Scale, n_inputs: int, delays: int, starts: Tensor, seed: int = 0) -> LSTMTwin:
        """The LSTM whose number of parameters is nearest."""
        n = len(scale.x_mean)
        size = (delays + 1) * n + n_inputs
        cells = min(range(1, 257), key=lambda c: abs(4 * c * (size + c + 1) + c * n - parameters))
        return cls(scale, n_inputs, delays, starts, cells=cells, seed=seed)

    def rested(self, y, draw):
        return State(y, y.new_zeros(*y.shape[:-1], 2 * self.cells))

    def advance(self, y, a, s, h, draw):
        if h != 1.0:
            raise TwinError("an LSTM has no time inside a step; leave substeps at 1")
        shown, memory = a.split(self.cells, dim=-1)
        into, forget, out, value = (torch.cat([y, s, shown], dim=-1) @ self.gates + self.bias).split(self.cells, dim=-1)
        memory = torch.sigmoid(forget + 1.0) * memory + torch.sigmoid(into) * torch.tanh(value)
        shown = torch.sigmoid(out) * torch.tanh(memory)
        return y[..., : self.n_outputs] + shown @ self.readout, torch.cat([shown, memory], dim=-1)
