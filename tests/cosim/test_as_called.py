"""Whatever a module does when it is called is what is compiled, or it is refused with the place: modules of every kind."""

import os
import re
import warnings

import numpy as np
import pytest
import torch
import torch.nn.utils.parametrizations as parametrizations
import torch.nn.utils.prune as prune
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from cosim.errors import UnsupportedModelError
from cosim.problem.as_called import decode
from cosim.problem.network import read_network

MODULES = int(os.environ.get("COSIM_MODULES", "200"))
N_STATES, N_EXTERNAL = 3, 1
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 0.05}  # of the largest derivative


class Residual(nn.Sequential):
    def forward(self, x):
        return super().forward(x) + 0.5 * x


class Gated(nn.Module):
    """max, min, clamp and slopes of two branches."""

    def __init__(self, width):
        super().__init__()
        self.a, self.b = nn.Linear(width, width), nn.Linear(width, width, bias=False)

    def forward(self, x):
        return torch.maximum(self.a(x), self.b(x)) - torch.clamp(self.b(x), -0.3, 0.8)


class Functional(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight, self.offset = nn.Parameter(torch.randn(width, width)), nn.Parameter(torch.randn(width))
        self.register_buffer("mean", torch.randn(width))
        self.register_buffer("spread", torch.rand(width) + 0.5)

    def forward(self, x):
        return ((x - self.mean) / self.spread) @ self.weight.T * 0.3 + self.offset


class Ring(nn.Module):
    """A convolution over the numbers of a layer."""

    def __init__(self, padding):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, padding_mode=padding)

    def forward(self, x):
        return self.conv(x.unsqueeze(-2)).squeeze(-2)


class Pooled(nn.Module):
    def forward(self, x):
        return nn.functional.avg_pool1d(nn.functional.pad(x, (1, 1)).unsqueeze(-2), 3, stride=1).squeeze(-2)


class Sliced(nn.Module):
    def forward(self, x):
        return torch.cat([x[..., 1:], -x[..., :1]], dim=-1).contiguous()


class Shared(nn.Module):
    """One layer used twice, its activation written in place."""

    def __init__(self, width):
        super().__init__()
        self.layer, self.act = nn.Linear(width, width), nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.layer(self.act(self.layer(x))))


SMOOTH = (nn.Tanh, nn.Sigmoid, nn.SiLU, nn.GELU, nn.ELU, nn.Softplus)
EXACT = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.Hardtanh, nn.Identity, nn.Dropout, nn.Flatten)


@st.composite
def layers(draw, width, exact):
    """One layer that keeps its width."""
    kind = draw(st.sampled_from(["linear", "act", "act", "gated", "functional", "ring", "pool", "slice", "shared", "norm",
                                 "residual", "weight_norm", "spectral_norm", "pruned", "old_weight_norm"]))
    linear = nn.Linear(width, width, bias=draw(st.booleans()))
    if kind == "act":
        return draw(st.sampled_from(EXACT if exact else (*EXACT, *SMOOTH)))()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the old forms deprecated; people's checkpoints hold them
        made = {"linear": lambda: linear, "gated": lambda: Gated(width), "functional": lambda: Functional(width),
                "ring": lambda: Ring(draw(st.sampled_from(["zeros", "circular", "reflect"]))), "pool": Pooled, "slice": Sliced,
                "shared": lambda: Shared(width), "norm": lambda: nn.BatchNorm1d(width),
                "residual": lambda: Residual(linear, nn.ReLU()),
                "weight_norm": lambda: parametrizations.weight_norm(linear),
                "spectral_norm": lambda: parametrizations.spectral_norm(linear),
                "pruned": lambda: prune.l1_unstructured(linear, "weight", amount=0.4),
                "old_weight_norm": lambda: torch.nn.utils.weight_norm(linear)}[kind]()
    return made


class Derivative(nn.Module):
    """forward(z) or forward(t, z) around a stack."""

    def __init__(self, stack, form):
        super().__init__()
        self.stack, self.form, self.calls = stack, form, 0

    def forward(self, z):
        self.calls += 1
        out = self.stack(z)
        return {"plain": lambda: out, "leak": lambda: out - z[..., N_EXTERNAL:], "scaled": lambda: 0.1 * out / 2,
                "float": lambda: out.to(z.dtype).contiguous(), "view": lambda: out.reshape(-1)}[self.form]()


class Timed(Derivative):
    def forward(self, t, z):
        return super().forward(z)


@st.composite
def modules(draw, exact=True):
    torch.manual_seed(draw(st.integers(0, 2**31 - 1)))
    width = draw(st.integers(2, 6))
    body = [draw(layers(width, exact)) for _ in range(draw(st.integers(0, 4)))]
    stack = nn.Sequential(nn.Linear(N_EXTERNAL + N_STATES, width), *body, nn.Linear(width, N_STATES))
    if draw(st.booleans()):
        stack = nn.Sequential(stack, nn.Identity())
    form = draw(st.sampled_from(["plain", "leak", "scaled", "float", "view"]))
    model = draw(st.sampled_from([Derivative, Timed]))(stack, form)
    if draw(st.booleans()):
        stack[0].register_forward_hook(lambda module, args, out: -out)
    if draw(st.booleans()):
        model.register_forward_pre_hook(lambda module, args: (*args[:-1], 2.0 * args[-1]))
    kind = draw(st.sampled_from([torch.float64, torch.float64, torch.float32]))
    return model.to(kind).eval(), kind


def called(model, z, kind):
    with torch.no_grad():
        z = torch.as_tensor(z, dtype=kind)[None]
        out = model(torch.tensor(0.2, dtype=kind), z) if isinstance(model, Timed) else model(z)
    return out.double().reshape(-1).numpy()


COLUMNS = ("x0", "u0", "x2", "x1")


def chain(network, z):
    """The compiled chain at numbers in the module's own order."""
    by_name = dict(zip(COLUMNS, z, strict=True))
    return network.derivative(np.array([[by_name["u0"]]]), np.array([[by_name[f"x{k}"] for k in range(N_STATES)]]))[0]


@settings(max_examples=MODULES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(modules(), st.integers(0, 2**31 - 1))
def test_what_a_call_gives_is_what_is_compiled(drawn, seed):
    model, kind = drawn
    points = np.random.default_rng(seed).uniform(-2, 2, (8, N_EXTERNAL + N_STATES))
    expected = np.array([called(model, z, kind) for z in points])
    network = read_network(model, COLUMNS)
    got = np.array([chain(network, z) for z in points])
    recorded = np.array([network.own_slope(0.2, z) for z in points])
    limit = ROUNDING[kind] * max(np.abs(expected).max(), 1e-3)
    np.testing.assert_allclose(got, expected, rtol=0, atol=limit)
    np.testing.assert_allclose(recorded, expected, rtol=0, atol=limit)
    if network.as_called is not None:
        again = decode(*network.as_called.encode())
        np.testing.assert_array_equal(again.derivative(0.2, points[0]), network.as_called.derivative(0.2, points[0]))


@settings(max_examples=MODULES // 4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(modules(exact=False), st.integers(0, 2**31 - 1))
def test_what_is_not_exact_is_refused_with_its_layer(drawn, seed):
    model, kind = drawn
    smooth = [name for name, part in model.named_modules() if isinstance(part, SMOOTH)]
    points = np.random.default_rng(seed).uniform(-2, 2, (4, N_EXTERNAL + N_STATES))
    if not smooth:
        network = read_network(model, COLUMNS)
        for z in points:
            expected = called(model, z, kind)
            limit = ROUNDING[kind] * max(np.abs(expected).max(), 1)
            np.testing.assert_allclose(chain(network, z), expected, rtol=0, atol=limit)
        return
    with pytest.raises(UnsupportedModelError, match="no piecewise linear function") as refused:
        read_network(model, COLUMNS)
    assert any(f"layer {name} (" in str(refused.value) for name in smooth)


@pytest.mark.parametrize("wrapped", [nn.DataParallel, torch.compile], ids=["DataParallel", "torch.compile"])
def test_wrappers_are_seen_through(wrapped):
    torch.manual_seed(0)
    inside = nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(), nn.Linear(3, 1)).double()
    assert read_network(wrapped(inside), ("u0", "x0")).hash == read_network(inside, ("u0", "x0")).hash


def test_half_precision():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(), nn.Linear(3, 1)).half()
    network = read_network(model, ("u0", "x0"))
    z = np.array([0.3, -0.7])
    expected = called(model, z, torch.float16)
    np.testing.assert_allclose(network.derivative(z[None, :1], z[None, 1:])[0], expected, atol=2e-3)


def test_a_pruned_checkpoint_counts_as_it_was_loaded():
    """State loaded after the module was made, as weight_orig and weight_mask: the weights that a call uses."""
    torch.manual_seed(0)
    trained, model = (prune.l1_unstructured(nn.Linear(2, 1), "weight", amount=1) for _ in range(2))
    with torch.no_grad():
        trained.weight_orig.mul_(3.0)
    model.load_state_dict(trained.state_dict())
    network = read_network(model.double().eval(), ("u0", "x0"))
    z = np.array([0.3, -0.7])
    np.testing.assert_allclose(network.derivative(z[None, :1], z[None, 1:])[0], called(model, z, torch.float64), rtol=1e-12)


def test_a_skip_costs_only_what_is_carried():
    """x' = -x + W relu(x): relu(x) and relu(-x) of each state, no more."""
    class Leaky(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Linear(2, 2)

        def forward(self, x):
            return -x + self.w(torch.relu(x))

    assert read_network(Leaky(), ("x0", "x1")).widths == (2, 4, 2)


def test_a_damaged_recording_is_told(tmp_path):
    network = read_network(Residual(nn.Linear(1, 1), nn.ReLU()), ("x0",))
    text, constants = network.as_called.encode()
    with pytest.raises(ValueError, match=r"'aten\.system\.default' is none that a network is made of"):
        decode(re.sub(r"aten\.relu\.default", "aten.system.default", text), constants)
