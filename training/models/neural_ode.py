"""The neural ODE dy/dt = net(u(t), y): how it is built, solved to reference accuracy and looked into."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from training.errors import ModelError
from training.integrate import integrate

Signal = Callable[[float], float]


def derivative_network(widths: Sequence[int] = (2, 14, 14, 1), *, seed: int) -> nn.Sequential:
    """A stack of Linear and ReLU in float64 with torch's default initialisation, U(+-1/sqrt(fan_in)), drawn from the seed.

    Its inputs are the external inputs first, then the states.

    Args:
        widths: of inputs, hidden layers and outputs.
        seed: of the weights.
    Raises:
        ModelError: fewer than two widths, or a width below 1.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ModelError(f"widths = {tuple(widths)}; give at least an input and an output width, each 1 or more")
    draw = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        linear = nn.Linear(fan_in, fan_out, dtype=torch.float64)
        with torch.no_grad():
            for p in (linear.weight, linear.bias):
                p.copy_((2.0 * torch.rand(p.shape, generator=draw, dtype=torch.float64) - 1.0) / fan_in**0.5)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def looks_linear(net: nn.Sequential, *, seed: int) -> None:
    """Initialise in place so that ReLUs come in mirrored pairs: the network starts linear, with its work spread evenly.

    This follows Balduzzi et al., "The shattered gradients problem", ICML 2017, section 4: hidden neurons are pairs (+v, -v)
    that are read as (+w, -w). Here v is uniform in (-1, 1) in the first layer and w is uniform in (0, 2)/fan_in after it, and
    not orthogonal, so that no weight cancels another and independent conductance errors average out over all neurons.
    """
    draw = torch.Generator().manual_seed(seed)
    layers = linear_layers(net)
    for k, layer in enumerate(layers):
        last = k == len(layers) - 1
        rows = layer.out_features if last else math.ceil(layer.out_features / 2)
        columns = math.ceil(layer.in_features / 2) if k else layer.in_features
        block = torch.rand((rows, columns), generator=draw, dtype=torch.float64)
        block = block / columns if k else 2.0 * block - 1.0
        block = torch.cat([block, -block], dim=1) if k else block
        block = block if last else torch.cat([block, -block], dim=0)
        with torch.no_grad():
            layer.weight.copy_(block[: layer.out_features, : layer.in_features])
            layer.bias.zero_()


def linear_layers(net: nn.Sequential) -> list[nn.Linear]:
    """The Linear layers of a stack that alternates Linear (with bias) and ReLU and ends with Linear.

    Raises:
        ModelError: any other structure; names the layer.
    """
    layers = list(net)
    for k, layer in enumerate(layers):
        expected = nn.ReLU if k % 2 else nn.Linear
        if not isinstance(layer, expected):
            raise ModelError(f"layer {k} is {type(layer).__name__}, expected {expected.__name__} (Linear, ReLU, Linear, ...)")
        if isinstance(layer, nn.Linear) and layer.bias is None:
            raise ModelError(f"layer {k} has no bias; build it with bias=True")
    if len(layers) % 2 == 0:
        raise ModelError("the network is empty or ends with ReLU; the last layer must be Linear")
    return layers[::2]


def widths_of(net: nn.Sequential) -> tuple[int, ...]:
    """Widths of a network: inputs, hidden layers, outputs."""
    linears = linear_layers(net)
    return (linears[0].in_features, *(layer.out_features for layer in linears))


def stack_widths(net: nn.Sequential) -> tuple[int, ...]:
    """Widths (inputs, ..., outputs) of any stack of Linear, with or without bias, and ReLU that can be solved.

    Raises:
        ModelError: another layer, sizes that do not chain, or no Linear at all; names the layer.
    """
    widths: list[int] = []
    for k, layer in enumerate(net):
        if not isinstance(layer, nn.Linear | nn.ReLU):
            raise ModelError(f"layer {k} is {type(layer).__name__}; a network is made of Linear and ReLU")
        if isinstance(layer, nn.Linear):
            if widths and layer.in_features != widths[-1]:
                raise ModelError(f"layer {k} takes {layer.in_features} inputs, the layer before it gives {widths[-1]}")
            widths += [layer.out_features] if widths else [layer.in_features, layer.out_features]
    if not widths:
        raise ModelError("the network has no Linear layer")
    return tuple(widths)


def hidden_activations(net: nn.Sequential, u: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Values of each hidden layer behind its ReLU.

    Args:
        u: (..., n_inputs) external inputs.
        y: (..., n_states) states.
    Returns:
        A tensor (..., width) for each hidden layer.
    """
    x, hidden = torch.cat([u, y], dim=-1), []
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            hidden.append(x)
    return hidden


class DrivenODE(nn.Module):
    """dy/dt = net(u_1(t), ..., u_m(t), y), as torchdiffeq and the reference solver want it: forward(t, y).

    Args:
        net: Sequential of Linear and ReLU with m + n inputs and n outputs.
        stimulus: None (m = 0), a signal (m = 1), or a sequence of m signals; each maps t [s] to model units.
    """

    def __init__(self, net: nn.Sequential, stimulus: Signal | Sequence[Signal] | None):
        super().__init__()
        widths = stack_widths(net)
        self.net, self.n_states = net, widths[-1]
        self.signals = () if stimulus is None else (stimulus,) if callable(stimulus) else tuple(stimulus)
        if widths[0] != len(self.signals) + self.n_states:
            raise ModelError(
                f"the network takes {widths[0]} inputs and gives {self.n_states} derivatives, so it needs "
                f"{widths[0] - self.n_states} stimuli; got {len(self.signals)}"
            )

    def forward(self, t, y: torch.Tensor) -> torch.Tensor:
        """dy/dt of shape (..., n_states) at time t (scalar)."""
        u = [torch.as_tensor(s(t), dtype=y.dtype).expand(*y.shape[:-1], 1) for s in self.signals]
        return self.net(torch.cat([*u, y], dim=-1))


def solve(
    net: nn.Sequential,
    stimulus: Signal | Sequence[Signal] | None,
    y0: Sequence[float],
    t: np.ndarray,
    rtol: float = 1e-9,
    atol: float = 1e-11,
) -> np.ndarray:
    """Reference trajectory of the torch network in float64; the integration restarts at every breakpoint of the stimuli.

    The network is evaluated in numpy. The results differ from torch's by rounding and, one sample at a time, come twenty times
    sooner.

    Args:
        y0: (n,) state at t[0], model units.
        t: (m,) sample times, ascending [s].
    Returns:
        (m, n) model units.
    Raises:
        ModelError: the network, the stimuli and y0 do not fit together.
        SolverError: the integration stopped early.
    """
    ode = DrivenODE(net, stimulus)
    y0 = np.asarray(y0, dtype=np.float64).reshape(-1)
    if len(y0) != ode.n_states:
        raise ModelError(f"y0 has {len(y0)} values, the network has {ode.n_states} states")
    if next(net.parameters()).dtype != torch.float64:
        raise ModelError("the reference is float64; convert the network with net.double()")
    t = np.asarray(t, dtype=np.float64)
    breaks = {float(b) for s in ode.signals if hasattr(s, "breakpoints") for b in s.breakpoints(float(t[-1]))}

    layers = [_arrays(layer) for layer in net]

    def rhs(at: float, y: np.ndarray) -> np.ndarray:
        x = np.concatenate([[signal(at) for signal in ode.signals], y])
        for weight, bias in layers:
            x = np.maximum(x, 0.0) if weight is None else weight @ x + bias
        return x

    return integrate(rhs, y0, t, breakpoints=sorted(breaks), rtol=rtol, atol=atol)


def _arrays(layer: nn.Module) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Weight and bias of a Linear; a ReLU has none."""
    if isinstance(layer, nn.ReLU):
        return None, None
    weight = layer.weight.detach().numpy()
    return weight, np.zeros(len(weight)) if layer.bias is None else layer.bias.detach().numpy()
