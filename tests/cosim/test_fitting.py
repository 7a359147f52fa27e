"""Smooth networks fitted by ReLU networks: compiled, run and compared."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.programming import Programming
from cosim import Calibration, Case, Fit, Options, Sine, compare, compile_network, load, simulate
from cosim.compiler.compile import compile_board
from cosim.diagnosis.correction import compile_corrected, find_correction
from cosim.errors import CosimWarning
from cosim.problem.reference import author_reference, reference
from tests.cosim.smooth import RUN, Cubed, Given, between, experiment

ACTIVATIONS = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "softplus": nn.Softplus, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU}
BROUGHT = {**{name: lambda kind=kind: between(kind()) for name, kind in ACTIVATIONS.items()},
           "cube": Cubed, "own": lambda: Given(lambda x: x / (1 + x**2))}


@pytest.mark.parametrize("kind", BROUGHT)
def test_a_smooth_network_is_fitted_run_and_compared(kind, tmp_path):
    with pytest.warns(CosimWarning, match="was replaced by a ReLU network"):
        compiled = compile_network(experiment(BROUGHT[kind](), Fit()), tmp_path, Options(fidelity="macro"))
    stated = compiled.manifest.fitted
    frame = compare(simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural")).to_frame()
    assert frame["substitution_mre"].max() <= 0.005
    assert frame["substitution_mre"].max() == pytest.approx(stated.run_error, rel=0.02)  # as it was printed and stored
    assert stated.derivative_error <= 0.005
    assert frame["circuit_mre"].max() <= 0.005
    assert (frame["mre"] <= frame["circuit_mre"] + 1.02 * frame["substitution_mre"]).all()
    assert stated.method == "pieces" and sum(compiled.manifest.widths[1:-1]) < 60


def test_the_decks_themselves_keep_the_errors(tmp_path):
    """ngspice, reduced arrays; measured: circuit 0.02 %, substitution 0.03 %."""
    with pytest.warns(CosimWarning):
        compiled = compile_network(experiment(between(nn.Tanh()), Fit()), tmp_path, Options(fidelity="macro"))
    frame = compare(simulate(compiled)).to_frame()
    assert 0 < frame["circuit_mre"].max() <= 0.001
    assert 0 < frame["substitution_mre"].max() <= 0.005


def test_an_equation_is_fitted_like_a_network(tmp_path):
    """Van der Pol itself, products and all, pushed; as an author would write it."""
    def forward(z):
        u, x, v = z[..., 0], z[..., 1], z[..., 2]
        return torch.stack([v, (1 - x**2) * v - x + u], dim=-1)

    push, reach = Sine(amplitude=0.5, bias=0.0, period=7.0), np.array([0.5, 2.2, 2.7])
    seen = np.random.default_rng(0).uniform(-1, 1, (2000, 3)) * reach
    oscillator = experiment(forward, Fit(error=0.01), columns=("u0", "x0", "x1"),
                            calibration=Calibration(inputs=seen[:, :1], states=seen[:, 1:]),
                            cases=(Case(name="pushed", stimuli=(push,), initial=(2.0, 0.0), duration=7.0, samples=200),))
    with pytest.warns(CosimWarning):
        compiled = compile_network(oscillator, tmp_path, Options(fidelity="macro"))
    frame = compare(simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural")).to_frame()
    assert frame["circuit_mre"].max() <= 0.01
    assert frame["substitution_mre"].max() <= 0.01


def test_shares_stand_in_every_place(tmp_path):
    truth = {"run": np.full((51, 2), 0.5)}
    with pytest.warns(CosimWarning):
        compiled = compile_network(experiment(between(nn.Tanh()), Fit(), truth=truth), tmp_path, Options(fidelity="macro"))
    comparison = compare(simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural"))
    columns = list(comparison.table().columns)
    assert {"circuit MRE", "substitution MRE", "model MRE", "total MRE"} <= set(columns)
    (case,) = comparison.cases
    network = load(tmp_path).network  # as every later command reads it
    np.testing.assert_array_equal(case.reference, author_reference(network, RUN))
    np.testing.assert_array_equal(case.fitted, reference(network, RUN))
    assert 0 < np.abs(case.fitted - case.reference).max() < 1e-3
    assert set(comparison.to_xarray()["run"].data_vars) == {"inputs", "truth", "fitted", "reference", "twin", "error"}
    model = json.loads((tmp_path / "manifest.json").read_text())["model"]
    assert model["fitted"]["error"] == 0.005 and model["call_sha256"]


def test_the_reference_is_the_authors_network_and_not_the_fitted_one(tmp_path):
    model = between(nn.Tanh()).double()
    with pytest.warns(CosimWarning):
        compile_network(experiment(model, Fit(error=0.05)), tmp_path, Options(fidelity="macro"))
    steps = 4000
    y = torch.tensor([0.5, 0.5], dtype=torch.float64)
    with torch.no_grad():
        for _ in range(steps):  # the midpoint rule: 1e-8 at this step
            y = y + model(y + model(y) * 0.5 / steps) / steps
    np.testing.assert_allclose(author_reference(load(tmp_path).network, RUN)[-1], y, rtol=1e-6)


def test_the_same_experiment_gives_the_same_network():
    first, second = (experiment(between(nn.SiLU()), Fit()).read() for _ in range(2))
    assert first.hash == second.hash


def test_the_networks_own_use_of_time_is_fitted_too(tmp_path):
    class Pushed(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.last = nn.Linear(3, 8), nn.Linear(8, 2)

        def forward(self, t, z):
            return self.last(torch.tanh(self.first(torch.cat([z, torch.sin(3 * t).reshape(1, 1)], -1))))

    with pytest.warns(CosimWarning):
        compiled = compile_network(experiment(Pushed(), Fit(error=0.02)), tmp_path, Options(fidelity="macro"))
    frame = compare(simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural")).to_frame()
    assert frame["circuit_mre"].max() <= 0.005
    assert frame["substitution_mre"].max() <= 0.02


def test_a_correction_is_found_without_programming_errors(tmp_path):
    """A programming error is not known when a board is compiled, so nothing of it may be taken out."""

    network = experiment(between(nn.Tanh()), Fit()).read()
    calibration = experiment(between(nn.Tanh()), Fit()).calibration
    exact = compile_corrected(network, calibration, (RUN,), Options(fidelity="macro"))
    noisy = compile_corrected(network, calibration, (RUN,), Options(fidelity="macro", programming=Programming(error=0.022)))
    np.testing.assert_array_equal(exact.layers[-1].target, noisy.layers[-1].target)
    assert np.abs(exact.layers[-1].tiles[0].g - noisy.layers[-1].tiles[0].g).max() > 1e-7


def test_the_correction_takes_out_what_off_neurons_do():

    given = experiment(between(nn.Tanh()), Fit())
    board = compile_board(given.read(), given.calibration, Options(fidelity="macro"))
    found = find_correction(board, given.calibration, (RUN,))
    assert found.before > 1e-4
    assert found.after < found.before / 5
