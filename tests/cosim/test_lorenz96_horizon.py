"""The horizon study: a small ridge network end to end, and the committed one on the behavioural board."""

import json

import pytest

from cosim.console import Console
from cosim.errors import CosimError
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.horizon import HorizonSetup, run_horizon, smooth_error_spread
from cosim.studies.lorenz96.horizon_tables import starts_table
from training.experiments.lorenz96_ridges import train_ridges
from training.ridges import RidgeRecipe
from training.systems.lorenz96 import FORCINGS

RING = FORCINGS["lorenz96_f8"]


def test_two_starts_end_to_end(tmp_path):
    """60 neurons, a sixth of a Lyapunov time: the macro decks stay with the truth to their end."""
    train_ridges(RING, recipe=RidgeRecipe(kinks=(4,)), folder=tmp_path)
    setup = HorizonSetup(starts=2, lyapunov_times=0.15, checkpoints=tmp_path)
    metrics = run_horizon(setup, Pipeline(results=Results(root=tmp_path / "runs"), console=Console(quiet=True)))
    assert json.loads((tmp_path / "runs" / "metrics.json").read_text()) == metrics
    assert [start["censored"] for start in metrics["starts"]] == [{"torch": True, "circuit": True}] * 2
    assert metrics["clamp_hits"] == 0
    assert metrics["median"]["torch"] == metrics["median"]["circuit"] == pytest.approx(0.15, abs=0.02)
    table = starts_table(metrics)
    assert table["start"].tolist() == ["1", "2", "median"] and table["circuit"][0].startswith("> ")


def test_a_reduced_board_follows_on_the_behavioural_model(tmp_path):
    """138 neurons, two starts, two Lyapunov times: neither torch nor the trimmed board is lost."""
    train_ridges(RING, recipe=RidgeRecipe(kinks=(10,)), folder=tmp_path)
    setup = HorizonSetup(starts=2, lyapunov_times=2.0, checkpoints=tmp_path)
    metrics = run_horizon(setup, Pipeline(results=Results(root=tmp_path / "runs"), console=Console(quiet=True)), "behavioural")
    assert metrics["fidelity"] == "behavioural"
    assert [start["censored"] for start in metrics["starts"]] == [{"torch": True, "circuit": True}] * 2


def test_a_larger_slope_error_is_lost_sooner():
    setup = HorizonSetup(starts=4, lyapunov_times=6.0)
    assert smooth_error_spread(setup, 1.0).median < smooth_error_spread(setup, 0.1).median


def test_a_regular_ring_is_refused():
    with pytest.raises(CosimError, match="chaotic"):
        HorizonSetup(system=FORCINGS["lorenz96_f6"])


def test_an_unknown_fidelity_is_refused(tmp_path):
    with pytest.raises(CosimError, match="macro, behavioural"):
        run_horizon(HorizonSetup(), Pipeline(results=Results(root=tmp_path), console=Console(quiet=True)), "flat")
