"""The Lorenz96 study end to end, on a ring of four sites, networks of eight neurons and two time units."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from circuits.board.nets import signal_words
from circuits.engine.waveforms import Waveforms
from cosim.comparison.clamp_hits import clamp_hits
from cosim.console import Console
from cosim.errors import CosimError
from cosim.folder.compiled import load
from cosim.store.files import read_frame, write_frame
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.lorenz96.experiment import Lorenz96Setup, Twin, lorenz96_options
from cosim.studies.lorenz96.metrics import all_metrics, twin_rows
from cosim.studies.lorenz96.report import write_report
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.study import run_study
from training import checkpoint
from training.experiments.lorenz96 import NEURAL_ODE, checkpoint_path
from training.experiments.lorenz96_results import Row, store_results
from training.models.neural_ode import derivative_network
from training.systems.lorenz96 import Lorenz96

START = (1.0, 0.5, -0.5, 0.2)
ERRORS = {"circuit": ("twin", "reference"), "model": ("reference", "truth"), "total": ("twin", "truth")}
RINGS = tuple(Lorenz96(forcing=forcing, start=START) for forcing in (6.0, 8.0))


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    """Untrained networks: their states move slowly, so the true states' range holds them."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for ring in RINGS:
        checkpoint.save(checkpoint_path(ring.name, 0, folder), derivative_network((4, 8, 8, 4), seed=1), {})
        store_results([Row(model=NEURAL_ODE, system=ring.name, seed=0, parameters=148, validation_l1=1.0, interpolation_l1=1.0,
                           extrapolation_l1=1.0, rotated=True)], folder)
    store_results([Row(model="gru", system="lorenz96_f6", seed=k, parameters=148, validation_l1=1.0, interpolation_l1=1.0 + k,
                       extrapolation_l1=2.0, rotated=True) for k in range(2)], folder)
    return Lorenz96Setup(systems=RINGS, seeds=1, samples=101, training_samples=76, duration=2.0, trim_samples=31,
                         checkpoints=folder)


@pytest.fixture(scope="module")
def done(setup, tmp_path_factory):
    """A finished study: its folder and its metrics."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, run_study(setup, pipeline(folder))


def pipeline(folder):
    return Pipeline(results=Lorenz96Results(root=folder), console=Console(quiet=True))


def test_metrics_say_what_the_waveforms_hold(setup, done):
    folder, metrics = done
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    found = {(row["forcing"], row["phase"]): row for row in metrics["cases"]}
    assert sorted(found) == [(f, p) for f in (6.0, 8.0) for p in ("extrapolation", "interpolation")]
    for (forcing, phase), row in found.items():
        frame = read_frame(folder / "waveforms" / f"f{forcing:g}.parquet")
        part = frame[frame["phase"] == phase]
        states = {name: part[[f"{name}_{k}" for k in range(4)]].to_numpy() for name in ("truth", "reference", "twin")}
        for which, (one, other) in ERRORS.items():
            assert row[f"{which}_l1"] == pytest.approx(np.abs(states[one] - states[other]).mean(), rel=1e-9)
        # each phase starts from its own first true sample, which the board gets in nine digits
        np.testing.assert_allclose(states["reference"][0], states["truth"][0], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(states["twin"][0], states["truth"][0], rtol=0, atol=2e-3)
        # 0.5 % of the largest state: nominal parts, a slow network
        assert row["circuit_l1"] < 5e-3 * np.abs(states["truth"]).max()
        assert row["clamp_hits"] == {}
        assert (row["fidelity"], row["seed"]) == ("macro", 0)


def test_waveforms_are_on_the_grid_of_the_whole_run(setup, done):
    frame = read_frame(done[0] / "waveforms" / "f6.parquet")
    np.testing.assert_allclose(frame["time"], np.linspace(0, 2, 101), rtol=1e-12, atol=1e-12)  # atol: time units
    assert frame["phase"].tolist() == ["interpolation"] * 76 + ["extrapolation"] * 25
    assert frame.columns.tolist() == ["time", "phase"] + [f"{n}_{k}" for n in ("truth", "reference", "twin") for k in range(4)]


def test_summary_baselines_and_valid_prediction(done):
    metrics = done[1]
    assert metrics["baselines"] == [{"model": "gru", "forcing": 6.0, "seeds": 2,
                                     "interpolation": {"mean": 1.5, "sd": pytest.approx(0.5**0.5)},
                                     "extrapolation": {"mean": 2.0, "sd": 0.0}}]
    assert all(one["total_l1"]["sd"] is None for one in metrics["summary"])  # one seed has no spread
    valid, = metrics["valid_prediction"]
    assert (valid["forcing"], valid["threshold"]) == (8.0, 0.4)
    for case in valid["cases"]:
        assert 0 < case["circuit"]["time"] <= 1.5
        assert case["circuit"]["lyapunov_times"] == pytest.approx(valid["exponent"] * case["circuit"]["time"])
    # s; untrained networks move so slowly that offsets, of either sign, count as much as the amplifiers' lag
    assert all(abs(lag) < 1e-4 for lag in metrics["trim"]["lag"].values())


def test_the_report_holds_its_figures(done):
    page = (done[0] / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(list((done[0] / "figures").glob("*.png"))) == 9
    assert "Out of its linear range" not in page
    assert "0.512" in page and "0.321" in page


def test_a_second_run_does_nothing(setup, done, contents):
    folder, metrics = done
    before = {path: (data, (folder / path).stat().st_mtime_ns) for path, data in contents(folder).items()
              if path.name not in ("metrics.json",)}
    assert run_study(setup, pipeline(folder)) == metrics
    after = {path: (data, (folder / path).stat().st_mtime_ns) for path, data in contents(folder).items()
             if path.name not in ("metrics.json",)}
    assert after == before


def test_a_twin_in_its_clamps_is_flagged(setup, done, tmp_path):
    """Neuron 3 of hidden layer 1 leaves the linear range a tenth into the run, state 0 a little later."""
    folder, metrics = done
    twin = Twin(system=RINGS[0], seed=0, reference=True)
    finished, results = Lorenz96Results(root=folder), Lorenz96Results(root=tmp_path)
    vectors = {phase: read_frame(finished.vectors(twin.name, phase)) for phase in ("interpolation", "extrapolation")}
    time = vectors["interpolation"]["time"]
    begins = time[len(time) // 2 : len(time) // 2 + 2].tolist()
    for line, at in zip(("v(xboard.h1_3_p)", "v(x0_p)"), begins, strict=True):
        vectors["interpolation"].loc[time >= at, line] = 0.58
    compiled = load(finished.decks(twin.name))
    frame, rows = twin_rows(setup, twin, compiled, vectors)
    write_frame(results.waveforms(twin.waveforms_name), frame, "changed")
    assert rows[0]["clamp_hits"] == {"v(xboard.h1_3_p)": {"peak": 0.58, "time": begins[0]},
                                     "v(x0_p)": {"peak": 0.58, "time": begins[1]}}
    assert rows[1]["clamp_hits"] == {}
    regular = replace(setup, systems=RINGS[:1])
    found = all_metrics(regular, rows, metrics["trim"]["lag"])
    write_report(regular, results, [twin], {twin.name: compiled}, found, results.report)
    page = results.report.read_text()
    first = f"hidden layer 1, neuron 3 first, at {begins[0]:.4g} s of circuit time, up to 0.58 V; lines in all: 2"
    assert first in page


def test_clamp_hits_are_in_the_order_of_time():
    time = np.linspace(0.0, 1.0, 11)
    data = np.stack([time, time, np.where(time > 0.25, -0.5, 0.0), 0.1 * time], axis=1)
    names = ("time", "v(x0_p)", "v(xboard.h2_7_p)", "v(x1_p)")
    hits = clamp_hits(Waveforms(plot="Transient Analysis", title="", names=names, data=data), 0.45)
    assert list(hits.items()) == [("v(xboard.h2_7_p)", {"peak": 0.5, "time": pytest.approx(0.3)}),
                                  ("v(x0_p)", {"peak": 1.0, "time": pytest.approx(0.5)})]
    assert [signal_words(line) for line in hits] == ["hidden layer 2, neuron 7", "state 0"]


def test_seeds_give_a_spread():
    ring, = (Lorenz96(forcing=6.0),)
    rows = [{"forcing": 6.0, "phase": phase, "circuit_l1": 0.1, "model_l1": 0.2, "total_l1": total}
            for phase in ("interpolation", "extrapolation") for total in (0.2, 0.4)]
    summary = all_metrics(Lorenz96Setup(systems=(ring,)), rows, {})["summary"]
    assert [one["phase"] for one in summary] == ["interpolation", "extrapolation"]
    assert summary[0]["total_l1"] == {"mean": pytest.approx(0.3), "sd": pytest.approx(0.02**0.5)}


def test_a_study_without_room_for_its_parts_is_refused():
    with pytest.raises(CosimError, match="200 to trim"):
        Lorenz96Setup(samples=300, training_samples=150, trim_samples=200)


def test_the_time_scale_reaches_the_board():
    assert lorenz96_options(2e-2).time_scale == 2e-2
    with pytest.raises(CosimError, match="time_scale"):
        lorenz96_options(0.0)


def test_frames_hold_no_gap(done):
    for name in ("f6", "f8"):
        assert not pd.read_parquet(done[0] / "waveforms" / f"{name}.parquet").isna().any().any()
