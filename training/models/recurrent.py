"""The discrete baselines as a family: several seeds of an RNN, a GRU, an LSTM or a recurrent ResNet run side by side.

They go from sample k to sample k + 1 and run freely: the output of a step is the input of the next. Like the neural ODE, a run
starts from a true sample. The hidden state is zero there, so that every model knows the same. Parameters carry a leading axis
(seeds,), and no seed sees another; a batched product serves them all.

The equations are those of the RNN of Elman (1990), the GRU of Cho et al. (2014) in torch's form, and the LSTM of Hochreiter,
Schmidhuber (1997) with forget gate, each followed by a linear readout of the hidden state. The ResNet is x + net(x), where net
is a ReLU stack.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from training.errors import ModelError

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
KINDS = (*GATES, "resnet")
# Widths with as many parameters as the neural ODE 6-64-64-6 has, 4998: 4998, 4974, 5028, 4998.
HIDDEN = {"rnn": (64,), "gru": (36,), "lstm": (31,), "resnet": (64, 64)}


class Recurrent(nn.Module):
    """A kind of baseline in several seeds.

    Args:
        kind: "rnn", "gru", "lstm" or "resnet".
        d: number of states.
        hidden: the width of a recurrent cell, or the hidden widths of the ResNet.
        seeds: one network for each seed. Parameters are uniform in +-1/sqrt(fan-in), as torch draws them; for recurrent cells
            the fan-in is the hidden width.
    Raises:
        ModelError: the kind is unknown, there is no seed, or the hidden widths do not fit the kind.
    """

    def __init__(self, kind: str, *, d: int = 6, hidden: Sequence[int] | None = None, seeds: Sequence[int] = (0,)):
        super().__init__()
        if kind not in KINDS:
            raise ModelError(f"unknown baseline {kind!r}; choose one of {', '.join(KINDS)}")
        hidden = tuple(HIDDEN[kind] if hidden is None else hidden)
        if not hidden or min(hidden) < 1 or (kind in GATES and len(hidden) != 1) or not seeds:
            raise ModelError(f"{kind} with hidden widths {hidden} and {len(seeds)} seeds; a recurrent cell has one width")
        self.kind, self.d, self.hidden, self.seeds = kind, d, hidden, tuple(seeds)
        if kind == "resnet":
            shapes = [(n_in, n_out, n_in) for n_in, n_out in pairwise((d, *hidden, d))]
        else:
            h, gates = hidden[0], GATES[kind]
            shapes = [(d, gates * h, h), (h, gates * h, h), (h, d, h)]
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for n_in, n_out, fan in shapes:
            for into, shape in ((self.weights, (n_in, n_out)), (self.biases, (1, n_out))):
                drawn = [2.0 * torch.rand(shape, generator=draw, dtype=torch.float64) - 1.0 for draw in draws]
                into.append(nn.Parameter(torch.stack(drawn) / fan**0.5))

    def parameters_each(self) -> int:
        """Number of parameters of each network."""
        return sum(p[0].numel() for p in self.parameters())

    def start(self, x: Tensor) -> tuple[Tensor, ...]:
        """The hidden state zero for states x (seeds, batch, d)."""
        zero = x.new_zeros((*x.shape[:2], self.hidden[0]))
        return {"lstm": (zero, zero), "resnet": ()}.get(self.kind, (zero,))

    def step(self, x: Tensor, carry: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The next state (seeds, batch, d), in the same normalised units as x, and the next hidden state."""
        w, b = self.weights, self.biases
        if self.kind == "resnet":
            y = x
            for k in range(len(w)):
                y = torch.baddbmm(b[k], y if k == 0 else torch.relu(y), w[k])
            return x + y, ()
        h = carry[0]
        seen, held = torch.baddbmm(b[0], x, w[0]), torch.baddbmm(b[1], h, w[1])
        if self.kind == "rnn":
            h = torch.tanh(seen + held)
            carry = (h,)
        elif self.kind == "gru":
            (r, z, n), (r_h, z_h, n_h) = seen.chunk(3, -1), held.chunk(3, -1)
            update = torch.sigmoid(z + z_h)
            h = (1.0 - update) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + update * h
            carry = (h,)
        else:
            i, f, g, o = (seen + held).chunk(4, -1)
            cell = torch.sigmoid(f) * carry[1] + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(cell)
            carry = (h, cell)
        return torch.baddbmm(b[2], h, w[2]), carry

    def rollout(self, x0: Tensor, samples: int) -> Tensor:
        """Free run (samples, seeds, batch, d) from x0 (seeds, batch, d), which is its first row.

        Raises:
            ModelError: x0 has another shape.
        """
        if x0.ndim != 3 or x0.shape[0] != len(self.seeds) or x0.shape[2] != self.d:
            raise ModelError(f"x0 has shape {tuple(x0.shape)}, expected ({len(self.seeds)} seeds, batch, {self.d} states)")
        x, carry, states = x0, self.start(x0), [x0]
        for _ in range(samples - 1):
            x, carry = self.step(x, carry)
            states.append(x)
        return torch.stack(states)
