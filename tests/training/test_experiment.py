"""The HP experiment: its files, and that the committed networks are as good as promised."""

import numpy as np
import pytest

from training import checkpoint
from training.errors import TrainingError
from training.experiments import hp_memristor as experiment
from training.experiments.hp_memristor import checkpoint_paths, train_hp_memristor
from training.models.neural_ode import solve, widths_of
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES
from training.trainer import Recipe, Stage

TINY = Recipe(widths=(2, 3, 1), stages=(Stage(steps=2, window=2),), learning_rate=1e-3)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(experiment, "NEURAL_ODE", TINY)
    monkeypatch.setattr(experiment, "RESNET", TINY)


def test_an_unknown_drive_is_refused():
    for call in (checkpoint_paths, train_hp_memristor):
        with pytest.raises(TrainingError, match="unknown drive 'charge'; choose one of current, voltage"):
            call("charge")


@pytest.mark.parametrize("drive", DRIVES)
def test_the_committed_checkpoints_load_with_their_provenance(drive):
    for path, model in zip(checkpoint_paths(drive), ("neural_ode", "recurrent_resnet"), strict=True):
        got = checkpoint.load(path)
        assert widths_of(got.net) == (2, 14, 14, 1)
        facts = got.provenance
        assert (facts["drive"], facts["model"], facts["training_stimulus"]) == (drive, model, "sine")
        assert facts["time_step"] == pytest.approx(0.5 / 499)


@pytest.mark.parametrize("name", STIMULI)
def test_model_error_is_within_one_percent_on_every_stimulus(name):
    """Trained on the sine alone; the truth is the closed form, the floor of the relative error 1 % of full scale."""
    system, stimulus = DRIVES["current"], STIMULI[name]
    net = checkpoint.load(checkpoint_paths("current")[0]).net
    t = system.grid()
    truth = system.closed_form(stimulus, t)
    got = solve(net, stimulus, system.initial_state(), t, rtol=1e-6, atol=1e-8)[:, 0]
    mre = np.mean(np.abs(got - truth) / np.maximum(np.abs(truth), 0.01 * np.abs(truth).max()))
    assert mre <= 0.01


def test_training_writes_both_and_leaves_finished_ones_alone(tiny, tmp_path):
    seen = []
    paths = train_hp_memristor("current", folder=tmp_path, progress=lambda model, *_: seen.append(model))
    assert set(seen) == {"neural_ode", "recurrent_resnet"}
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    before = [path.read_bytes() for path in paths]
    paths[1].unlink()
    seen.clear()
    train_hp_memristor("current", folder=tmp_path, progress=lambda model, *_: seen.append(model))
    assert set(seen) == {"recurrent_resnet"}
    assert [path.read_bytes() for path in paths] == before  # the same seed gives the same file
    assert checkpoint.load(paths[0]).provenance["epochs"] == 2


def test_an_interrupted_training_leaves_the_earlier_checkpoint(tiny, tmp_path):
    paths = train_hp_memristor("current", folder=tmp_path)
    before = [path.read_bytes() for path in paths]

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_hp_memristor("current", folder=tmp_path, seed=1, force=True, progress=stop)
    assert [path.read_bytes() for path in paths] == before
