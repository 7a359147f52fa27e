"""The experiment's table and the committed checkpoints; nothing is trained here but a one-step dummy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training import checkpoint
from training.baselines import BaselineRecipe, Windows
from training.errors import TrainingError
from training.experiments import lorenz96 as experiment
from training.experiments import lorenz96_evaluation as evaluation
from training.experiments import lorenz96_results as results
from training.experiments.lorenz96_results import Row
from training.models.neural_ode import widths_of
from training.models.recurrent import KINDS
from training.shooting import Shooting, SlopeFit
from training.systems.lorenz96 import FORCINGS

ROW = Row(
    model="gru", system="lorenz96_f6", seed=1, parameters=10, validation_l1=0.5, interpolation_l1=0.25, extrapolation_l1=1.0,
    rotated=True,
)  # fmt: skip


def test_table_is_merged_and_read_back(tmp_path):
    results.store_results([ROW, replace(ROW, seed=0)], tmp_path)
    results.store_results([replace(ROW, extrapolation_l1=2.0)], tmp_path)
    assert results.read_results(tmp_path) == [replace(ROW, seed=0), replace(ROW, extrapolation_l1=2.0)]


def test_damaged_table_is_refused(tmp_path):
    results.results_path(tmp_path).write_text("model,seed\ngru,1\n")
    with pytest.raises(TrainingError, match="train again"):
        results.read_results(tmp_path)


def test_rows_that_are_there_are_not_trained_again(tmp_path):
    results.store_results([ROW], tmp_path)
    assert experiment.train_baselines("lorenz96_f6", "gru", seeds=(1,), folder=tmp_path) == [ROW]


def test_a_short_training_writes_checkpoint_and_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "l1_of", lambda net, system: (1.0, 2.0))  # its runs take seconds; tested below
    recipe = replace(
        experiment.RECIPES["lorenz96_f6"], slopes=SlopeFit(steps=30), stages=(Shooting(steps=1, window=2, batch=2),)
    )
    path = experiment.train_neural_ode("lorenz96_f6", 5, recipe=recipe, folder=tmp_path)
    kept = checkpoint.load(path)
    assert widths_of(kept.net) == (6, 64, 64, 6)
    assert kept.provenance["seed"] == kept.provenance["recipe"]["seed"] == 5
    assert experiment.reference_seed("lorenz96_f6", tmp_path) == 5
    windows = (Windows(steps=1, window=1, batch=2, learning_rate=1e-3), Windows(steps=1, window=2, batch=2, learning_rate=1e-3))
    rows = experiment.train_baselines(
        "lorenz96_f6", "rnn", seeds=(0, 1), recipe=BaselineRecipe(stages=windows), folder=tmp_path
    )
    assert [r.seed for r in rows] == [0, 1] and len(results.read_results(tmp_path)) == 3


def test_summary():
    one, two = results.summarise([ROW, replace(ROW, seed=2, extrapolation_l1=3.0), replace(ROW, model="rnn")])
    assert (one.model, one.seeds, one.extrapolation) == ("gru", 2, (2.0, pytest.approx(2.0**0.5)))
    assert two.seeds == 1 and np.isnan(two.extrapolation[1])


def test_valid_predictions_of_the_true_field_are_all_censored(monkeypatch):
    """The ring written as a torch module: only RK4's own error grows, and 200 samples are too few for it."""

    class Ring(torch.nn.Module):
        def forward(self, t, x):
            return (x.roll(-1, -1) - x.roll(2, -1)) * x.roll(1, -1) - x + 8.0

    monkeypatch.setattr(evaluation, "DrivenODE", lambda net, stimulus: net)
    found = evaluation.valid_predictions(Ring(), FORCINGS["lorenz96_f8"], samples=200)
    assert len(found) == 21 and all(v.censored for v in found)
    with pytest.raises(TrainingError, match="about 0"):
        evaluation.valid_predictions(Ring(), FORCINGS["lorenz96_f6"])


def test_unknown_system():
    with pytest.raises(TrainingError, match="lorenz96_f8"):
        experiment.checkpoint_path("lorenz96_f7", 0)
    with pytest.raises(TrainingError, match="train_neural_ode"):
        experiment.reference_seed("lorenz96_f6", experiment.CHECKPOINTS / "nowhere")


def test_committed_table_is_complete_and_keeps_its_promise():
    rows = {(r.system, r.model, r.seed): r for r in results.read_results(experiment.CHECKPOINTS)}
    for system in FORCINGS:
        for seed in experiment.SEEDS[system]:
            assert (system, experiment.NEURAL_ODE, seed) in rows
        assert all((system, kind, seed) in rows for kind in KINDS for seed in experiment.BASELINE_SEEDS)
    ours = [rows["lorenz96_f6", experiment.NEURAL_ODE, seed] for seed in experiment.SEEDS["lorenz96_f6"]]
    assert np.mean([r.interpolation_l1 for r in ours]) <= 0.512  # the published figures
    assert np.mean([r.extrapolation_l1 for r in ours]) <= 0.321


def test_committed_reference_gives_its_row():
    system, seed = "lorenz96_f6", experiment.reference_seed("lorenz96_f6")
    kept = checkpoint.load(experiment.checkpoint_path(system, seed))
    rows = {(r.system, r.model, r.seed): r for r in results.read_results(experiment.CHECKPOINTS)}
    row = rows[system, experiment.NEURAL_ODE, seed]
    found = evaluation.l1_of(kept.net, FORCINGS[system])
    np.testing.assert_allclose(found, (row.interpolation_l1, row.extrapolation_l1), rtol=1e-2)
