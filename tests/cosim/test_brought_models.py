"""Networks as people write them, each compiled, run on the behavioural board and held against a call of the module itself."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import torch.nn.utils.parametrizations as parametrizations
import torch.nn.utils.prune as prune
from scipy.integrate import solve_ivp
from torch import nn

from cosim import Calibration, Case, Experiment, Fit, Options, Sine, compare, compile_network, load, simulate
from cosim.errors import NotPiecewiseLinearError, UnsupportedModelError


def layers(n=2, width=10, out=2, between=None):
    return [nn.Linear(n, width), between or nn.ReLU(), nn.Linear(width, out)]


def chain(n=2, width=10, out=2, between=None):
    return nn.Sequential(*layers(n, width, out, between))


class Called(nn.Module):
    """A module of parts whose forward is given."""

    def __init__(self, forward, *parts, takes_t=False):
        super().__init__()
        self.parts, self.how = nn.ModuleList(parts), forward
        if takes_t:
            self.forward = lambda t, y: forward(self.parts, t, y)

    def forward(self, y):
        return self.how(self.parts, y)


class Residual(nn.Sequential):
    def forward(self, x):
        return -2.0 * x + super().forward(x)


class Counted(nn.Module):
    """Counts its calls and uses one activation, in place, after two layers."""

    def __init__(self):
        super().__init__()
        self.act, self.fc1, self.fc2, self.fc3 = nn.ReLU(inplace=True), nn.Linear(2, 10), nn.Linear(10, 10), nn.Linear(10, 2)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.fc3(self.act(self.fc2(self.act(self.fc1(x)))))


@dataclass
class Config:
    width: int = 10


def hooked():
    net = chain()
    net.register_forward_hook(lambda module, given, out: -out)
    return net


def weight_norm():
    return nn.Sequential(parametrizations.weight_norm(nn.Linear(2, 10)), nn.ReLU(), nn.Linear(10, 2))


def loaded_spectral_norm():
    trained, net = (nn.Sequential(parametrizations.spectral_norm(nn.Linear(2, 10)), *layers()[1:]) for _ in range(2))
    with torch.no_grad():
        trained[0].parametrizations.weight.original.mul_(3.0)
    net.load_state_dict(trained.state_dict())
    return net.eval()


def pruned():
    net = chain()
    prune.l1_unstructured(net[0], "weight", amount=0.4)
    return net


def functional():
    w, v = nn.Parameter(torch.randn(10, 2)), nn.Parameter(0.3 * torch.randn(2, 10))
    return lambda y: torch.relu(y @ w.T) @ v.T


def normalised():
    net, mean, spread = chain(), torch.tensor([0.2, -0.1]), torch.tensor([1.5, 0.7])
    return Called(lambda parts, y: parts[0]((y - mean) / spread), net)


MODELS = {  # what builds it, columns
    "t unused": lambda: Called(lambda parts, t, y: parts[0](y), chain(), takes_t=True),
    "counts its calls": Counted,
    "second order": lambda: Called(lambda parts, z: torch.cat([z[..., 1:], parts[0](z)], dim=-1), chain(out=1)),
    "residual": lambda: Residual(*layers()),
    "dropout in eval": lambda: nn.Sequential(*layers()[:2], nn.Dropout(0.5), nn.Linear(10, 2)).eval(),
    "batch norm in eval": lambda: nn.Sequential(nn.Linear(2, 10), nn.BatchNorm1d(10), *layers()[1:]).eval(),
    "nested": lambda: nn.Sequential(nn.Sequential(*layers()[:2]), nn.Sequential(nn.Linear(10, 2))),
    "identity": lambda: nn.Sequential(*layers()[:2], nn.Identity(), nn.Flatten(), nn.Linear(10, 2)),
    "leaky relu": lambda: chain(between=nn.LeakyReLU(0.1)), "prelu": lambda: chain(between=nn.PReLU()),
    "hardtanh": lambda: chain(between=nn.Hardtanh()), "relu6": lambda: chain(between=nn.ReLU6()),
    "no bias": lambda: nn.Sequential(nn.Linear(2, 10, bias=False), nn.ReLU(), nn.Linear(10, 2, bias=False)),
    "weight norm": weight_norm, "spectral norm, loaded": loaded_spectral_norm, "pruned": pruned,
    "relu first": lambda: nn.Sequential(nn.ReLU(), *layers()),
    "own leak": lambda: Called(lambda parts, x: -x + parts[0](torch.relu(x)), nn.Linear(2, 2)),
    "skip inside": lambda: Called(lambda parts, x: parts[2]((h := torch.relu(parts[0](x))) + torch.relu(parts[1](h))),
                                  nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 2)),
    "scaled": lambda: Called(lambda parts, x: 0.1 * parts[0](x), chain()),
    "plain function": lambda: (lambda net: lambda y: net(y))(chain()),
    "float and squeeze": lambda: Called(lambda parts, y: parts[0](y.float().unsqueeze(0)).squeeze(0), chain()),
    "clamp": lambda: Called(lambda parts, y: parts[1](parts[0](y).clamp(min=0)), nn.Linear(2, 10), nn.Linear(10, 2)),
    "hook": hooked, "matmul": functional, "normalised": normalised,
    "dataclass": lambda: chain(width=Config().width), "single linear": lambda: nn.Linear(2, 2),
    "ends with relu": lambda: nn.Sequential(*layers(), nn.ReLU()),
    "convolution": lambda: Called(lambda parts, y: parts[0](y.unsqueeze(-2)).squeeze(-2), nn.Conv1d(1, 1, 3, padding=1)),
}


def experiment(model, columns=("x0", "x1"), fit=None):
    rng = np.random.default_rng(0)
    driven = "u0" in columns
    return Experiment(subject="brought", model=model, columns=columns, fit=fit,
                      calibration=Calibration(inputs=rng.uniform(-1, 1, (500, int(driven))),
                                              states=rng.uniform(-2, 2, (500, len(columns) - driven))),
                      cases=(Case(name="run", stimuli=(Sine(amplitude=0.5, bias=0.0, period=1.0),) * driven,
                                  initial=(0.5, -0.4)[: len(columns) - driven], duration=1.0, samples=51),))


def by_hand(given):
    """The module called as it is, by another solver: (samples, n_states)."""
    (case,), kinds = given.cases, getattr(given.model, "parameters", lambda: iter(()))
    kind = next((parameter.dtype for parameter in kinds()), torch.float32)

    def slope(t, x):
        values = {f"x{k}": one for k, one in enumerate(x)} | {f"u{k}": float(s(t)) for k, s in enumerate(case.stimuli)}
        z = torch.tensor([[values[column] for column in given.columns]], dtype=kind)
        with torch.no_grad():
            try:
                return given.model(z).reshape(-1).double().numpy()
            except TypeError:
                return given.model(torch.tensor(t, dtype=kind), z).reshape(-1).double().numpy()

    return solve_ivp(slope, (0, case.duration), case.initial, t_eval=case.times, rtol=1e-6, atol=1e-8, max_step=0.005).y.T


def run(given, folder):
    compile_network(given, folder, Options(fidelity="macro"))
    return compare(simulate(load(folder), fidelity="behavioural"))


@pytest.mark.parametrize("name", MODELS)
def test_it_is_compiled_as_it_is_called(name, tmp_path):
    torch.manual_seed(1)
    given = experiment(MODELS[name]())
    compared = run(given, tmp_path)
    assert compared.to_frame()["max_error"].max() < 5e-3
    expected = by_hand(given)
    assert np.abs(compared.cases[0].reference - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_state_may_come_before_the_input(tmp_path):
    torch.manual_seed(1)
    given = experiment(chain(out=1), ("x0", "u0"))
    compared = run(given, tmp_path)
    assert compared.to_frame()["max_error"].max() < 5e-3
    assert np.abs(compared.cases[0].reference - by_hand(given)).max() < 1e-5


def own_signal():
    """The input made inside, of time: the model takes one number."""
    return Called(lambda parts, t, y: parts[0](torch.cat([y, torch.sin(7 * t).reshape(1, 1)], dim=-1)), chain(out=1),
                  takes_t=True)


class Energy(nn.Module):
    """x0' = dH/dx1, x1' = -dH/dx0, as the usual code of Hamiltonian networks."""

    def __init__(self):
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, z):
        with torch.enable_grad():
            z = z.requires_grad_()
            slope = torch.autograd.grad(self.energy(z).sum(), z)[0]
        return torch.stack([slope[..., 1], -slope[..., 0]], dim=-1)


def asserting(parts, z):
    assert not torch.isnan(z).any()
    return parts[0](z)


REFUSED = {  # model, columns, what is said
    "one column too many": (own_signal, ("u0", "x0"), "called with 1 number it gives 1, but there are 2 columns: name as many "
                                                      "as it takes, and leave out what it makes of time itself"),
    "a recurrent cell": (lambda: Called(lambda parts, z: parts[0](z, z), nn.GRUCell(2, 2)), ("x0", "x1"),
                         "GRUCell, by its equations"),
    "numpy": (lambda: Called(lambda parts, z: torch.from_numpy(np.maximum(z.detach().numpy(), 0))), ("x0", "x1"),
              "numpy and detach"),
    "an image": (lambda: nn.Conv2d(1, 1, 3, padding=1), ("x0", "x1"), "wrap it in a module whose forward reshapes z"),
    "layer norm": (lambda: nn.Sequential(nn.Linear(2, 10), nn.LayerNorm(10), nn.Linear(10, 2)), ("x0", "x1"),
                   r"layer 1 \(LayerNorm\)"),
    "complex": (lambda: nn.Linear(2, 2, dtype=torch.complex64), ("x0", "x1"), "use two real states"),
    "three arguments": (lambda: ThreeArguments(), ("x0", "x1"), "concatenate them"),
    "time behind": (lambda: lambda y, t: -y + 0.1 * torch.relu(t), ("x0", "x1"), r"give model=lambda t, y: model\(y, t\)"),
    "no time": (lambda: lambda x, u: x - u, ("x0", "x1"), "if x is the time, name it t; if x and u are states and inputs"),
    "time with a default": (lambda: lambda y, t=0.0: t - y, ("x0", "x1"), r"give model=lambda t, z: model\(z, t=t\)"),
    "state dict": (lambda: chain().state_dict(), ("x0", "x1"), r"OrderedDict holds weights alone: .*load_state_dict\(\)"),
    "path": (lambda: "net.pt", ("x0", "x1"), "str is the name of a file"),
    "none": (lambda: None, ("x0", "x1"), "is no network"),
    "class": (lambda: Counted, ("x0", "x1"), r"Counted is a class: .*model=Net\(\)"),
    "exported": (lambda: torch.export.export(chain(), (torch.zeros(1, 2),)), ("x0", "x1"), r"what its module\(\) returns"),
    "numpy result": (lambda: lambda z: np.zeros(2), ("x0", "x1"), "return a tensor"),
    "meta": (lambda: chain().to("meta"), ("x0", "x1"), r"0\.weight lies on the meta device.*load_state_dict\(\)"),
    "quantised": (lambda: torch.ao.quantization.quantize_dynamic(chain(), {nn.Linear}), ("x0", "x1"), "the module that it was"),
    "gradient": (Energy, ("x0", "x1"), r"torch\.func\.grad instead"),
    "float of t": (lambda: lambda t, z: -z + math.sin(float(t)), ("x0", "x1"), r"torch\.sin\(t\) for math"),
    "list": (lambda: lambda z: -z * max(z.detach().tolist()[0][0], 0.1), ("x0", "x1"), "make a branch or a number"),
    "assert": (lambda: Called(asserting, chain()), ("x0", "x1"), "assert, float"),
    "batch norm in training": (lambda: nn.Sequential(nn.Linear(2, 9), nn.BatchNorm1d(9), nn.Linear(9, 2)), ("x0", "x1"),
                               r"is in training.*call model\.eval\(\) first"),
    "spectral norm in training": (lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(2, 9)), nn.ReLU(),
                                                        nn.Linear(9, 2)), ("x0", "x1"), r"call model\.eval\(\) first"),
    "random in eval": (lambda: Called(lambda parts, z: parts[0](nn.functional.dropout(z)), chain()).eval(), ("x0", "x1"),
                       r"random, in model\.eval\(\) too.*training=self\.training"),
    "table of the state": (lambda: Called(lambda parts, z: z - parts[0]((z[..., 0] > 0).long()), nn.Embedding(2, 2)),
                           ("x0", "x1"), "jumps"),
    "jump": (lambda: lambda z: -z + torch.sign(z), ("x0", "x1"), r"jumps from -1 to 1 at 0"),
    "sort": (lambda: lambda z: torch.sort(z)[0], ("x0", "x1"), "neither computed exactly nor fitted"),
    "a branch": (lambda: Called(lambda parts, y: parts[0](y) if float(y.sum()) > 0 else y, chain()), ("x0", "x1"), "branches"),
    "random": (lambda: nn.Sequential(*layers()[:2], nn.Dropout(0.5), nn.Linear(10, 2)), ("x0", "x1"), r"model\.eval\(\) first"),
}


def with_func_grad():
    model = Energy()

    def forward(z):
        slope = torch.func.grad(lambda z: model.energy(z).sum())(z)
        return torch.stack([slope[..., 1], -slope[..., 0]], dim=-1)

    return forward


def table():
    """An input of time from a table that the module holds."""
    at, values = torch.linspace(0, 2, 41), 2 * torch.sin(3 * torch.linspace(0, 2, 41))

    def forward(t, z):
        k = torch.clamp(torch.searchsorted(at, t.reshape(1)), 1, 40)
        part = (t - at[k - 1]) / (at[k] - at[k - 1])
        u = values[k - 1] * (1 - part) + values[k] * part
        return -z + u

    return forward


WAYS_OUT = {  # what refusals propose: model
    "time behind": lambda: (lambda model: lambda t, y: model(y, t))(lambda y, t: -y + 0.1 * torch.relu(t)),
    "time with a default": lambda: (lambda model: lambda t, z: model(z, t=t))(lambda y, t=0.0: torch.sin(2 * t) - y),
    "exported": lambda: torch.export.export(chain(), (torch.zeros(1, 2),)).module(),
    "sine of t": lambda: lambda t, z: -z + torch.sin(t),
    "in eval": lambda: nn.Sequential(nn.Linear(2, 9), nn.BatchNorm1d(9), nn.RReLU(), nn.Linear(9, 2)).eval(),
    "spectral norm in eval": lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(2, 9)), nn.ReLU(),
                                                   nn.Linear(9, 2)).eval(),
    "dropout that knows training": lambda: Called(
        lambda parts, z: parts[0](nn.functional.dropout(z, training=parts.training)), chain()).eval(),
    "own table of time": table,
}


@pytest.mark.parametrize("name", WAYS_OUT)
def test_the_way_out_works(name, tmp_path):
    torch.manual_seed(1)
    given = experiment(WAYS_OUT[name]())
    compared = run(given, tmp_path)
    assert compared.to_frame()["max_error"].max() < 5e-3
    expected = by_hand(given)
    assert np.abs(compared.cases[0].reference - expected).max() < 1e-5 * np.abs(expected).max()


FITTED = {  # fitted where the refusal proposes it
    "gradient of an energy": with_func_grad,
    "bilinear": lambda: Called(lambda parts, z: parts[0](z, z) - z, nn.Bilinear(2, 2, 2)),
    "max pool": lambda: Called(lambda parts, z: -nn.functional.max_pool1d(z.unsqueeze(1), 2, 1, 1)[:, 0, :2]),
    "a jump elsewhere": lambda: Called(lambda parts, z: parts[0](z) - z + torch.sign(z - 5), chain()),
}


@pytest.mark.parametrize("name", FITTED)
def test_what_is_sent_to_a_fit_is_fitted(name):
    torch.manual_seed(1)
    model = FITTED[name]()
    with pytest.raises(NotPiecewiseLinearError, match=r"fit=Fit\(\)"):
        experiment(model)
    assert experiment(model, fit=Fit(error=0.05)).read().fitted.run_error <= 0.05


def test_a_branch_that_the_run_alone_passes_is_seen(tmp_path):
    def forward(z):
        first = float(z.detach().numpy().reshape(-1)[0])
        return -50 * torch.ones_like(z) if 0.31 < first < 0.3105 else -z

    given = experiment(lambda z: forward(z))  # from x0 = 0.5 down to 0.18; of 32 samples between -2 and 2 none is there
    with pytest.raises(UnsupportedModelError, match=r"off by .* from what was read from it"):
        compile_network(replace(given, cases=(replace(given.cases[0], samples=1001),)), tmp_path)


def test_eval_is_not_left_behind():
    model = nn.Sequential(nn.Linear(2, 9), nn.BatchNorm1d(9), nn.Linear(9, 2))
    with pytest.raises(UnsupportedModelError, match="in training"):
        experiment(model)
    assert all(part.training for part in model.modules())


def test_a_calibration_may_be_a_tensor_that_wants_a_gradient():
    states = torch.ones(3, 1, requires_grad=True) * 2
    np.testing.assert_array_equal(Calibration(inputs=torch.zeros(3, 0), states=states).states, 2 * np.ones((3, 1)))


def test_a_recurrent_cell_by_its_equations_is_fitted():
    """What the refusal of the layer proposes."""
    torch.manual_seed(1)
    cell = nn.GRUCell(2, 2)

    def forward(z):
        r, u, n = (z @ cell.weight_ih.T + cell.bias_ih).chunk(3, dim=-1)
        hr, hu, hn = (z @ cell.weight_hh.T + cell.bias_hh).chunk(3, dim=-1)
        u = torch.sigmoid(u + hu)
        return (1 - u) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + u * z - z

    assert experiment(lambda z: forward(z), fit=Fit(error=0.05)).read().fitted.run_error <= 0.05
    z = torch.tensor([[0.3, -0.4]])
    np.testing.assert_allclose(forward(z).detach(), (cell(z, z) - z).detach(), rtol=1e-5)


class ThreeArguments(nn.Module):
    def forward(self, t, x, u):
        return x + u


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_way_out(name):
    model, columns, says = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=says):
        experiment(model(), columns)


def test_the_way_out_of_the_own_signal_is_true(tmp_path):
    torch.manual_seed(1)
    given = experiment(own_signal(), ("x0",))
    assert run(given, tmp_path).to_frame()["max_error"].max() < 5e-3
