"""The horizon study: a small ridge network end to end, and the committed one on the behavioural board."""

import json

import pytest

from cosim.console import Console
from cosim.errors import CosimError
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.horizon import HorizonSetup, behavioural_spread, run_horizon, smooth_error_spread
from cosim.studies.lorenz96.horizon_tables import starts_table
from training.checkpoint import load
from training.experiments.lorenz96_ridges import ridges_path, train_ridges
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


def test_the_committed_network_is_predicted_as_far_by_its_board():
    """Three starts over three Lyapunov times, behavioural, trimmed: at today's 1 s per time unit none is lost."""
    setup = HorizonSetup(starts=3, lyapunov_times=3.0)
    spread = behavioural_spread(setup, load(ridges_path(RING)).net, time_scale=1.0, trim=True)
    assert all(one.censored for one in spread.each)


def test_a_larger_slope_error_is_lost_sooner():
    setup = HorizonSetup(starts=4, lyapunov_times=6.0)
    assert smooth_error_spread(setup, 1.0).median < smooth_error_spread(setup, 0.1).median


def test_a_regular_ring_is_refused():
    with pytest.raises(CosimError, match="chaotic"):
        HorizonSetup(system=FORCINGS["lorenz96_f6"])
