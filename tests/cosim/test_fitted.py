"""Networks of smooth functions, fitted by ReLU networks: never unasked, within the stated error, each share told."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from cosim import Calibration, Case, Experiment, Fit, Options, Sine, compare, compile_network, load, simulate
from cosim.errors import CosimError, UnsupportedModelError
from cosim.problem.reference import reference


class Cubed(nn.Module):
    """dy/dt = A y^3, as the spiral of many a tutorial."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2, bias=False).double()
        with torch.no_grad():
            self.net.weight.copy_(torch.tensor([[-0.1, 2.0], [-2.0, -0.1]]))

    def forward(self, y):
        return self.net(y**3)


def smooth(activation):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 6), activation, nn.Linear(6, 1)).double()
    with torch.no_grad():
        net[2].weight.mul_(2.0)
        net[2].weight.data[0] -= 0.5 * net[0].weight[:, 1]  # it comes back
    return net


def driven(model, fit=None):
    samples = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    return Experiment(subject="smooth", model=model, columns=("u0", "x0"), fit=fit,
                      calibration=Calibration(inputs=0.6 * samples[:, :1], states=samples[:, 1:]),
                      cases=(Case(name="run", stimuli=(Sine(amplitude=0.5, bias=0.0, period=2.0),), initial=(0.3,),
                                  duration=4.0, samples=101),))


def free(model, fit=None):
    return Experiment(subject="cubed", model=model, columns=("x0", "x1"), fit=fit,
                      calibration=Calibration(inputs=np.empty((400, 0)),
                                              states=np.random.default_rng(0).uniform(-1.1, 1.1, (400, 2))),
                      cases=(Case(name="run", stimuli=(), initial=(1.0, 0.0), duration=3.0, samples=101),))


def run(experiment, folder, **options):
    with pytest.warns(Warning, match="ReLU"):
        compile_network(experiment, folder, Options(fidelity="macro", **options))
    return compare(simulate(load(folder), fidelity="behavioural"))


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.ELU(), nn.GELU(), nn.SiLU()], ids=repr)
def test_a_smooth_activation_is_fitted_when_asked(activation, tmp_path):
    given = driven(smooth(activation), Fit())
    compared = run(given, tmp_path, trim=True)
    frame = compared.to_frame()
    assert frame["substitution_mre"].max() <= 0.005
    assert frame["circuit_mre"].max() <= 0.01
    assert frame["mre"].max() <= 0.015
    fitted = json.loads((tmp_path / "manifest.json").read_text())["model"]["fitted"]
    assert fitted["run_error"] <= fitted["error"] == 0.005


def test_the_reference_is_the_network_that_was_given(tmp_path):
    model = smooth(nn.Tanh())
    compared = run(driven(model, Fit()), tmp_path)
    (case,) = driven(model, Fit()).cases
    found = compared.cases[0].reference[:, 0]
    step = case.times[1]

    def slope(t, x):
        with torch.no_grad():
            return model(torch.tensor([[float(case.stimuli[0](t)), x]], dtype=torch.float64)).item()

    x = [found[0]]
    for k in range(len(case.times) - 1):  # Runge-Kutta, by hand
        here, now = x[-1], case.times[k]
        for t in np.linspace(now, now + step, 5)[:-1]:
            h = step / 4
            a = slope(t, here)
            b = slope(t + h / 2, here + h / 2 * a)
            c = slope(t + h / 2, here + h / 2 * b)
            here += h / 6 * (a + 2 * b + 2 * c + slope(t + h, here + h * c))
        x.append(here)
    np.testing.assert_allclose(found, x, atol=1e-6)


def test_a_cube_is_fitted(tmp_path):
    frame = run(free(Cubed(), Fit(error=0.01)), tmp_path, trim=True).to_frame()
    assert frame["substitution_mre"].max() <= 0.01
    assert frame["circuit_mre"].max() <= 0.02


def test_the_same_fit_twice():
    one, other = (driven(smooth(nn.Tanh()), Fit()).read() for _ in range(2))
    assert one.hash == other.hash
    assert one.fitted == other.fitted


def test_nothing_is_fitted_unasked():
    with pytest.raises(UnsupportedModelError, match=r"layer 1 \(Tanh\).*[Ff]it"):
        driven(smooth(nn.Tanh()))


def test_what_is_exact_is_not_fitted(tmp_path):
    given = driven(smooth(nn.LeakyReLU(0.1)), Fit())
    assert given.read().fitted is None
    with pytest.warns(Warning, match="nothing was fitted"):
        compile_network(given, tmp_path, Options(fidelity="macro"))


@pytest.mark.parametrize(("function", "says"), [
    (torch.sign, "sign"), (torch.floor, "floor"), (lambda y: (y > 0).double(), "jump|continuous"),
], ids=["sign", "floor", "comparison"])
def test_what_jumps_is_refused(function, says):
    class Jumps(nn.Module):
        def forward(self, z):
            return function(z[..., :1]) - z[..., 1:]

    with pytest.raises(UnsupportedModelError, match=says):
        driven(Jumps(), Fit()).read()


@pytest.mark.parametrize(("wrong", "says"), [
    ({"error": 0.0}, "give a part above 0"), ({"error": 0.5}, "up to 0.2"), ({"error": float("nan")}, "error = nan"),
    ({"margin": -1.0}, "margin = -1"), ({"widths": ()}, "neurons of each hidden layer"), ({"seed": -1}, "seed = -1"),
])
def test_options_out_of_range(wrong, says):
    with pytest.raises(CosimError, match=says):
        Fit(**wrong)


def test_an_error_that_cannot_be_reached_says_what_was():
    with pytest.raises(UnsupportedModelError, match=r"best .*%|reached"):
        driven(smooth(nn.Tanh()), Fit(error=0.005, widths=(1,))).read()


def test_a_solution_of_a_fitted_network_is_its_authors():
    given = driven(smooth(nn.SiLU()), Fit())
    network = given.read()
    (case,) = given.cases
    assert np.abs(reference(network, case) - reference(network.chain, case)).max() < 0.01
