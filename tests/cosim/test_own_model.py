"""The example of a study of one's own: a program that trains, compiles, simulates, compares, reports and keeps its limit."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cosim import Case, Gate, Sine, load_experiment
from cosim.experiment import Experiment
from cosim.folder.compiled import load
from cosim.problem.reference import reference

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "01_van_der_pol.py"
RUN = Path("runs") / "van_der_pol"


def start(folder, *words):
    return subprocess.run([sys.executable, EXAMPLE, *words], cwd=folder, capture_output=True, text=True, timeout=240,
                          check=False, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder in which the example has run as a program, and what it printed."""
    folder = tmp_path_factory.mktemp("example")
    ended = start(folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder, ended.stdout


@pytest.fixture
def study(monkeypatch, done):
    """The example's study, as an importer sees it, in that folder."""
    monkeypatch.chdir(done[0])
    load_experiment(EXAMPLE)
    return sys.modules["cosim_experiment_01_van_der_pol"].STUDY


def test_it_fits_a_page_and_imports_cosim_alone():
    lines = EXAMPLE.read_text().splitlines()
    assert len(lines) < 60
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("from ", "import "))}
    assert imported == {"numpy", "torch", "cosim"}
    assert not [line for line in lines if "cosim." in line]


def test_its_figures_are_those_of_its_waveforms(done):
    folder, out = done
    metrics = json.loads((folder / RUN / "metrics.json").read_text())
    frame = pd.read_parquet(folder / RUN / "waveforms" / "van_der_pol_pushed.parquet")
    assert frame.columns.tolist() == ["time", "u0", "reference_0", "reference_1", "twin_0", "twin_1"]
    assert (len(frame), metrics["passed"]) == (200, True)
    for k, row in enumerate(metrics["cases"]):
        torch_, twin = frame[f"reference_{k}"], frame[f"twin_{k}"]
        assert np.ptp(torch_) > 1  # it swings
        off = (twin - torch_).abs().max() / torch_.abs().max()
        assert row["max_error"] == pytest.approx(off, rel=1e-9)
        assert 1e-5 < off < 0.005  # the example's own limit
        assert f"{off:.4%}" in out


def test_the_board_follows_the_oscillator_itself(done):
    """The circuit against the differential equation that the network was trained on, solved by another solver."""
    from scipy.integrate import solve_ivp

    frame = pd.read_parquet(done[0] / RUN / "waveforms" / "van_der_pol_pushed.parquet")
    truth = solve_ivp(lambda t, z: [z[1], (1 - z[0]**2) * z[1] - z[0] + 0.5 * np.sin(2 * np.pi * t / 7)], (0, 7), [2, 0],
                      t_eval=frame["time"], rtol=1e-9, atol=1e-9)
    # model units, of an amplitude of 2: what 800 steps of training leave, 0.3
    assert np.abs(truth.y.T - frame[["twin_0", "twin_1"]].to_numpy()).max() < 0.5


def test_the_stored_reference_is_torch_s(done):
    compiled = load(done[0] / RUN / "decks" / "van_der_pol")
    frame = pd.read_parquet(done[0] / RUN / "waveforms" / "van_der_pol_pushed.parquet")
    np.testing.assert_array_equal(frame[["reference_0", "reference_1"]], reference(compiled.network, compiled.cases["pushed"]))


def test_the_report_holds_its_pictures_and_its_limit(done):
    page = (done[0] / RUN / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(list((done[0] / RUN / "figures").glob("*.png"))) == 5
    assert "largest error in full scale at most 0.5 %" in page
    assert "They are kept." in page
    assert "ngspice" in page


def test_a_second_run_does_nothing_again(done, contents):
    folder = done[0]
    made = {path: (folder / path).stat().st_mtime_ns for path in contents(folder) if path.name != "metrics.json"}
    again = start(folder)
    assert again.returncode == 0, again.stderr
    assert "trained before, weights of runs/van_der_pol/weights.npz" in again.stderr
    assert "report is current" in again.stdout
    assert [word for word in ("compiling", "started", "comparing") if word in again.stdout] == []
    assert {path: (folder / path).stat().st_mtime_ns for path in contents(folder) if path.name != "metrics.json"} == made


def test_cosim_report_finds_the_page_current_and_draws_the_same_again(done, warm_shell):
    run = done[0] / RUN
    before = (run / "report.html").read_bytes()
    assert "report is current" in warm_shell.succeeds("report", run)
    warm_shell.succeeds("report", run, "--force")
    folder = (str(run / "decks"), str(RUN / "decks"))  # as it was named
    assert (run / "report.html").read_text() == before.decode().replace(*folder[::-1])


def test_an_exceeded_limit_ends_in_exit_code_1_after_the_report(study, capsys, tmp_path):
    strict = replace(study, gate=Gate(max_error=1e-5))
    assert strict.main(["--out", str(tmp_path / "strict"), "--quiet"]) == 1
    told = capsys.readouterr()
    assert "van_der_pol: 2 of the gate's limits exceeded: pushed, state x0: largest error 0.0" in told.err
    assert "report: " in told.out
    page = (tmp_path / "strict" / "report.html").read_text()
    assert "They are exceeded." in page
    assert json.loads((tmp_path / "strict" / "metrics.json").read_text())["passed"] is False


def test_cosim_compile_takes_the_same_file(done, warm_shell):
    out = warm_shell.succeeds("compile", EXAMPLE, "--out", "decks", "--fidelity", "macro")
    assert "output: 24 -> 2" in out
    made = done[0] / RUN / "decks" / "van_der_pol" / "pushed.cir"
    assert (warm_shell.folder / "decks" / "pushed.cir").read_text() == made.read_text()


def test_another_case_is_compiled_and_simulated_again(study, done, capsys):
    experiment = study.experiment()
    push = Sine(amplitude=0.4, bias=0.0, period=7.0)
    case = Case(name="pushed", stimuli=(push,), initial=(2.0, 0.0), duration=7.0, samples=200)
    comparison = replace(study, experiment=lambda: replace(experiment, cases=(case,))).run(done[0] / "other")
    out = capsys.readouterr().out
    assert "simulated 1 decks" in out
    assert isinstance(experiment, Experiment)
    assert comparison.cases[0].run.compiled.cases["pushed"].stimuli[0].amplitude == 0.4
    frame = pd.read_parquet(done[0] / "other" / "waveforms" / "van_der_pol_pushed.parquet")
    assert frame["u0"].max() == pytest.approx(0.4, rel=1e-3)
    assert torch.get_default_dtype() == torch.float32  # nothing of a study's is left behind
