"""One layer of a network of devices: weights, a squashing map into the input range of the devices, the devices.

    features (n_in) --> theta, bias --> z --> h(z) --> nodes, each a twin --> pi(x) --> features (nodes * n_outputs)

h(z) = centre + half tanh(z / 2) for devices of the input range centre +- half: 2 tanh(z / 2) for a range of +-2. A circuit's
own curve takes the place of the tanh where a network is trained for it. pi takes the mean from an observable and divides it by
its standard deviation, both of the recording. z and features have no unit.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import ModelError
from training.twins.ode import ODETwin
from training.twins.sde import SDETwin
from training.twins.twin import State, Twin


class Layer(nn.Module):
    """Nodes of one device; a network's layers may hold different ones.

    Args:
        twin: of the device; the layer keeps a copy that is not trained.
        n_in: features that it is given.
        nodes: devices.
        spread: the weights are drawn normal with this standard deviation, or uniform in +-spread where `uniform`.
        seed: of weights and biases; biases are uniform in +-1.
        dtype: of everything; float32 is faster.
        squash: instead of tanh(z / 2), a curve (z (k,) ascending, h (k,) within +-1) that is linear between its points and
            stays at its ends, as (z, volts) of ``circuits.dynamic.squash.squash_table`` for devices of +-1 V.
    """

    def __init__(self, twin: Twin, n_in: int, nodes: int, *, spread: float = 0.5, uniform: bool = False, seed: int = 0,
                 dtype: torch.dtype = torch.float32, squash: tuple[np.ndarray, np.ndarray] | None = None):
        super().__init__()
        if min(n_in, nodes) < 1:
            raise ModelError(f"a layer of {nodes} nodes and {n_in} inputs; give 1 or more of each")
        draw = torch.Generator().manual_seed(seed)
        drives = nodes * twin.n_inputs
        size = (drives, n_in)
        weight = 2.0 * torch.rand(size, generator=draw) - 1.0 if uniform else torch.randn(size, generator=draw)
        if squash is not None:
            z, h = (torch.as_tensor(column, dtype=dtype) for column in squash)
            if z.ndim != 1 or z.shape != h.shape or len(z) < 2 or not bool((z[1:] > z[:-1]).all()) or h.abs().max() > 1:
                raise ModelError(f"squash of shapes {tuple(z.shape)} and {tuple(h.shape)}; give z ascending, and for each an h "
                                 "within +-1")
            squash = z, h
        self.nodes, self.n_in, self.squash = nodes, n_in, squash
        self.weight = nn.Parameter((spread * weight).to(dtype))
        self.bias = nn.Parameter((2.0 * torch.rand(drives, generator=draw) - 1.0).to(dtype))
        self.twin = copy.deepcopy(twin).requires_grad_(False)
        if isinstance(self.twin, SDETwin):
            self.twin.freeze(dtype)
        self.twin = self.twin.to(dtype)

    @property
    def n_features(self) -> int:
        return self.nodes * self.twin.n_outputs

    def trained(self) -> list[nn.Parameter]:
        """What a network learns of this layer."""
        return [self.weight, self.bias]

    def drives(self, features: Tensor) -> Tensor:
        """Normalised inputs (..., nodes, n_inputs) of the devices, within +-1, from features (..., n_in)."""
        z = nn.functional.linear(features, self.weight, self.bias)
        return self.squashed(z).unflatten(-1, (self.nodes, self.twin.n_inputs))

    def squashed(self, z: Tensor) -> Tensor:
        """h(z) within +-1, of any shape."""
        if self.squash is None:
            return torch.tanh(0.5 * z)
        at, h = self.squash
        z = z.clamp(at[0], at[-1])
        right = torch.searchsorted(at, z.detach().contiguous()).clamp(1, len(at) - 1)
        left = right - 1
        return h[left] + (z - at[left]) * (h[right] - h[left]) / (at[right] - at[left])

    def device_inputs(self, features: Tensor) -> Tensor:
        """The same in device units."""
        low, high = self.twin.s_low, self.twin.s_high
        return 0.5 * (low + high) + 0.5 * (high - low) * self.drives(features)

    def start(self, batch: int, draw: torch.Generator) -> State:
        """States (batch, nodes, ...), drawn from the recorded initial states."""
        return self.twin.start((batch, self.nodes), draw)

    def forward(self, features: Tensor, state: State, draw: torch.Generator) -> tuple[Tensor, State]:
        """Features (batch, steps, n_features) after each step under features (batch, steps, n_in), and the last state."""
        drives = self.drives(features)
        rows = []
        for k in range(drives.shape[1]):
            state = self.twin.step(state, drives[:, k], draw)
            rows.append(self.twin.newest(state))
        return torch.stack(rows, dim=1).flatten(2), state

    def shown(self, x: Tensor) -> Tensor:
        """Features (batch, steps, n_features) of observables (batch, steps + 1, nodes, n_outputs) [device units]."""
        return self.twin.normalised(x.to(self.weight.dtype))[:, 1:].flatten(2)

    def along(self, features: Tensor, x: Tensor) -> Tensor:
        """Features with the values of measured observables and the gradients of the twin.

        Args:
            features: (batch, steps, n_in).
            x: (batch, steps + 1, nodes, n_outputs) [device units], measured under these features.
        Raises:
            ModelError: the twin has no flow, as an LSTM.
        """
        if not isinstance(self.twin, ODETwin):
            raise ModelError(f"a correction by devices takes the gradient of an ODE or SDE twin, not of {self.twin.kind!r}")
        measured = self.twin.normalised(x.to(self.weight.dtype))
        drives = self.drives(features)
        n, width = self.twin.n_outputs, self.twin.width
        y = self.twin.histories(measured[:, :1].movedim(1, -2))[..., 0, :]
        rows = []
        for k in range(drives.shape[1]):
            moved, _ = self.twin.flow(y, drives[:, k], 1.0)
            new = measured[:, k + 1] + (moved - moved.detach())
            y = torch.cat([new, y[..., : width - n]], dim=-1)
            rows.append(new)
        return torch.stack(rows, dim=1).flatten(2)
