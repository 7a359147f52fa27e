"""What a fit refuses and what it says, from Python and from the command line."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cosim import CosimError, Fit, Options, compare, compile_network, load, simulate
from cosim.cli.main import app
from cosim.errors import CosimWarning, NotPiecewiseLinearError, ResultsError, UnsupportedModelError
from tests.cosim.smooth import Given, between, experiment


def test_an_exact_network_needs_no_fit(tmp_path):
    given = experiment(between(nn.ReLU()), Fit())
    with pytest.warns(CosimWarning, match="computed exactly, so a fit is not needed"):
        compiled = compile_network(given, tmp_path, Options(fidelity="macro"))
    assert compiled.manifest.fitted is None
    assert given.read().hash == replace(given, fit=None).read().hash
    frame = compare(simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural")).to_frame()
    assert "substitution_mre" not in frame


def test_without_a_fit_the_refusal_names_line_and_mend():
    with pytest.raises(NotPiecewiseLinearError) as refused:
        experiment(between(nn.Tanh()))
    for words in (r"tanh \(layer 1 \(Tanh\)\)", r"fit=Fit\(\)", "cosim compile --fit"):
        assert re.search(words, str(refused.value))
    with pytest.raises(NotPiecewiseLinearError, match=r"sigmoid .*smooth\.py, line \d+: return self\.last"):
        experiment(Given(torch.sigmoid))
    with pytest.raises(NotPiecewiseLinearError, match=r"multiplies two values .*fit=Fit\(\)"):
        experiment(lambda z: z * z.flip(-1))


@pytest.mark.parametrize(("function", "place"), [
    (torch.sign, "jumps from -1 to 1 at 0"), (torch.nn.functional.hardshrink, "hardshrink.* jumps from -?0(.5)? to"),
    (lambda x: torch.where(x > 0.25, x, -x), "where.* jumps from -0.25 to 0.25 at 0.25")])
def test_a_function_that_jumps_is_refused(function, place):
    with pytest.raises(UnsupportedModelError, match=f"{place}.*a board is continuous: use a ramp"):
        experiment(Given(function), Fit()).read()


def test_what_is_not_finite_is_named():
    with pytest.raises(UnsupportedModelError, match=r"it gives \[nan.*calibrate, and run, where it is finite"):
        experiment(Given(torch.log), Fit()).read()


def test_an_error_that_nothing_reaches_tells_the_best_and_advises_one_that_is_reached():
    with pytest.raises(UnsupportedModelError) as refused:
        experiment(between(nn.Tanh()), Fit(error=0.002, widths=(6,))).read()
    said = str(refused.value)
    assert re.search(r"no ReLU network that was tried keeps an error of 0\.200%; the best has 6 hidden neurons, its "
                     r"derivatives are off by [\d.]+% of full scale", said)
    advised = float(re.search(r"allow an error of ([\d.]+) .*or give larger widths", said)[1])
    network = experiment(between(nn.Tanh()), Fit(error=advised, widths=(6,))).read()
    assert network.fitted.method == "trained" and network.widths == (2, 6, 2)
    assert max(network.fitted.derivative_error, network.fitted.run_error) <= advised


@pytest.mark.parametrize(("options", "words"), [
    ({"error": 0.0}, "error = 0.0; give a part above 0 and up to 0.2"), ({"error": 0.5}, "error = 0.5"),
    ({"error": float("nan")}, "error = nan"), ({"error": "1%"}, "error = '1%'"), ({"margin": 0.0}, "margin = 0.0"),
    ({"margin": 2.0}, "margin = 2.0"), ({"margin": None}, "margin = None"), ({"widths": ()}, r"widths = \(\)"),
    ({"widths": (0,)}, r"widths = \(0,\)"), ({"widths": 24}, "widths = 24"), ({"widths": (2.5,)}, r"widths = \(2.5,\)"),
    ({"seed": -1}, "seed = -1"), ({"seed": 0.5}, "seed = 0.5")])
def test_options_out_of_range_are_named(options, words):
    with pytest.raises(CosimError, match=f"fit: {words}"):
        Fit(**options)


def test_a_fit_that_is_none_is_named():
    with pytest.raises(CosimError, match=r"fit = True; give cosim.Fit\(error=0.005\), or None"):
        experiment(between(nn.Tanh()), True)


def test_a_damaged_fit_in_the_manifest_is_named(tmp_path):
    with pytest.warns(CosimWarning):
        compile_network(experiment(between(nn.Tanh()), Fit(error=0.05)), tmp_path, Options(fidelity="macro"))
    path = tmp_path / "manifest.json"
    fields = json.loads(path.read_text())
    del fields["model"]["call_sha256"]
    path.write_text(json.dumps(fields))
    with pytest.raises(ResultsError, match="compile again"):
        _ = load(tmp_path).network


FILE = """
import numpy as np, torch
from torch import nn
from cosim import Calibration, Case, Experiment

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 10), nn.Linear(10, 2)

    def forward(self, z):
        return self.last(torch.tanh(self.first(z)))

def experiment():
    torch.manual_seed(0)
    seen = np.random.default_rng(0).uniform(-2, 2, (500, 2))
    return Experiment(subject="tanh", model=Net(), columns=("x0", "x1"),
                      calibration=Calibration(inputs=seen[:, :0], states=seen),
                      cases=(Case(name="run", stimuli=(), initial=(0.5, 0.5), duration=1.0, samples=51),))
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(FILE)
    return lambda *words: CliRunner().invoke(app, ["compile", "net.py", "--out", "decks", "--fidelity", "macro", *words])


def test_the_command_refuses_within_a_second_or_two_and_names_the_line(command):
    command("--help")  # what is imported once
    start = time.process_time()
    done = command()
    assert time.process_time() - start < 10  # without importing: 0.1 s here, and torch's own recorder, 2 s, the first time
    assert re.search(r"tanh \(net.py, line 12: return self.last\(torch.tanh\(self.first\(z\)\)\)\) is no piecewise linear",
                     str(done.exception))
    assert "`cosim compile --fit`" in str(done.exception)
    assert not Path("decks").exists()


def test_the_command_fits_when_asked_and_prints_the_figures(command):
    done = command("--fit")
    assert done.exit_code == 0
    flat = " ".join(done.stdout.split())
    assert re.search(r"note: the network was replaced by a ReLU network 2-\d+-2 \(\d+ neurons, its smooth functions in pieces\)"
                     r"; its runs are off by up to 0\.\d+% \(MRE, case run, state x\d\), its derivatives by 0\.\d+% of full "
                     r"scale .*0\.500% was asked for", flat)
    first = load("decks").manifest.widths
    assert command("--fit-error", "3%").exit_code == 0
    assert load("decks").manifest.fitted.error == 0.03
    assert sum(load("decks").manifest.widths) < sum(first)


@pytest.mark.parametrize("text", ["0", "-1%", "lots", "50%", "nan"])
def test_an_odd_error_on_the_command_line_is_refused(command, text):
    done = command("--fit-error", text)
    assert isinstance(done.exception, CosimError) or done.exit_code == 2
    assert not Path("decks").exists()
