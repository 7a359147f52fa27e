"""Networks that take time: the board is given a ramp, or samples of what the network makes of time."""

import json

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import nn

from cosim import Calibration, Case, Experiment, Options, compare, compile_network, load, simulate
from cosim.errors import CosimError
from cosim.problem.time_inputs import timed_cases
from training.stimuli import Ramp, Sampled, Sine


class Timed(nn.Module):
    """dx/dt of (t, z), whose first layer takes a function of t beside z."""

    def __init__(self, n, of_time):
        super().__init__()
        torch.manual_seed(3)
        self.of_time, self.net = of_time, nn.Sequential(nn.Linear(n + 1, 8), nn.ReLU(), nn.Linear(8, 2)).double()

    def forward(self, t, z):
        return self.net(torch.cat([self.of_time(t).expand(*z.shape[:-1], 1), z], dim=-1))


def experiment(of_time=lambda t: t, *, driven=False, cases=None):
    rng = np.random.default_rng(0)
    n = 3 if driven else 2
    stimuli = (Sine(amplitude=0.5, period=0.7),) if driven else ()
    return Experiment(subject="timed", model=Timed(n, of_time), columns=("x0", "u0", "x1")[: n] if driven else ("x0", "x1"),
                      calibration=Calibration(inputs=rng.uniform(-0.5, 0.5, (100, n - 2)), states=rng.uniform(-2, 2, (100, 2))),
                      cases=cases or (Case(name="run", stimuli=stimuli, initial=(0.5, -0.5), duration=2.0, samples=101),
                                      Case(name="short", stimuli=stimuli, initial=(0.1, 0.2), duration=0.5, samples=51)))


def by_hand(model, case, columns):
    """The module called as it is, by another solver."""
    def slope(t, x):
        values = {"x0": x[0], "x1": x[1]} | ({"u0": float(case.stimuli[0](t))} if "u0" in columns else {})
        with torch.no_grad():
            return model(torch.tensor(t, dtype=torch.float64), torch.tensor([values[c] for c in columns]).double()).numpy()
    return solve_ivp(slope, (0, case.duration), case.initial, t_eval=case.times, rtol=1e-9, atol=1e-11, max_step=0.01).y.T


@pytest.mark.parametrize(("of_time", "driven", "kind"), [
    (lambda t: t, False, Ramp), (lambda t: 2 * t - 1, True, Ramp), (lambda t: torch.sin(3 * t), True, Sampled),
    (lambda t: torch.exp(-t) * t**2, False, Sampled)], ids=["time", "affine, driven", "sine, driven", "decay"])
def test_a_network_of_time_runs_on_the_board(of_time, driven, kind, tmp_path):
    given = experiment(of_time, driven=driven)
    compile_network(given, tmp_path, Options(fidelity="macro"))
    fields = json.loads((tmp_path / "manifest.json").read_text())["cases"]
    assert [len(case["stimuli"]) for case in fields] == [1 + driven] * 2
    assert isinstance(timed_cases(given.read(), given.cases)[0].stimuli[-1], kind)
    compared = compare(simulate(load(tmp_path), fidelity="behavioural"))
    assert compared.to_frame()["max_error"].max() < 3e-3, compared.to_frame().T
    references = {case.run.case: case.reference for case in compared.cases}
    for case in given.cases:
        expected = by_hand(given.model, case, given.columns)
        assert np.abs(references[case.name] - expected).max() < 1e-6 * np.abs(expected).max()


def test_calibration_covers_the_longest_case():
    network = experiment().read()
    calibration = experiment().calibration.over_time(network, 2.0)
    assert calibration.inputs.shape == (1700, 1) and (calibration.inputs.min(), calibration.inputs.max()) == (0.0, 2.0)
    joint = np.column_stack([calibration.inputs, calibration.states])
    assert len(np.unique(joint, axis=0)) == 1700  # every state at every time


def test_what_cannot_be_sampled_is_named():
    given = experiment(lambda t: 1 / (t - 1.0).abs().clamp(min=0.0))
    with pytest.raises(CosimError, match=r"case run: stimuli\[0\].*t = 1"):
        timed_cases(given.read(), given.cases)
