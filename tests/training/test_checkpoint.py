"""Checkpoints: what is written comes back, what is damaged is refused by name, what fails leaves the earlier file."""

import errno
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from training import checkpoint
from training.errors import CheckpointError

PROVENANCE = {"drive": "current", "widths": [2, 3, 1], "loss": 0.25}


@pytest.fixture
def net():
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False)).double()


@pytest.fixture
def path(tmp_path, net):
    return checkpoint.save(tmp_path / "deep" / "net.npz", net, PROVENANCE)


def rewrite(path, **changes):
    """The same archive with some arrays changed, or left out when None: written with numpy alone."""
    with np.load(path) as archive:
        arrays = {**archive, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_round_trip(path, net):
    got = checkpoint.load(path)
    assert got.provenance == PROVENANCE
    assert [type(layer) for layer in got.net] == [nn.Linear, nn.ReLU, nn.Linear]
    assert got.net[2].bias is None
    for name, value in net.state_dict().items():
        assert torch.equal(got.net.state_dict()[name], value)
    assert [p.name for p in path.parent.iterdir()] == ["net.npz"]  # no partial file


def test_numpy_alone_can_read_it(path, net):
    with np.load(path, allow_pickle=False) as archive:
        assert list(archive["layers"]) == ["Linear", "ReLU", "Linear"]
        np.testing.assert_array_equal(archive["0.weight"], net[0].weight.detach().numpy())
        assert archive["0.weight"].shape == (3, 2)  # (out, in)


def test_saving_again_gives_the_same_bytes_and_touches_nothing(path, net, tmp_path):
    before, stamp = path.read_bytes(), path.stat().st_mtime_ns
    checkpoint.save(path, net, dict(reversed(PROVENANCE.items())))
    assert path.stat().st_mtime_ns == stamp
    loaded = checkpoint.load(path)
    assert checkpoint.save(tmp_path / "other.npz", loaded.net, loaded.provenance).read_bytes() == before


def test_float32_is_widened_without_change(tmp_path):
    net = nn.Sequential(nn.Linear(2, 1))
    got = checkpoint.load(checkpoint.save(tmp_path / "n.npz", net, {})).net
    assert got[0].weight.dtype == torch.float64
    assert torch.equal(got[0].weight, net[0].weight.double())


def test_missing(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.npz does not exist; train again with `cosim train"):
        checkpoint.load(tmp_path / "none.npz")


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.99])
def test_truncated(path, part):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(CheckpointError, match=r"net\.npz is damaged .*; train again"):
        checkpoint.load(path)


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(path, net):
    """Dates and attributes of the zip archive carry nothing; every other byte does."""
    whole, harmless = path.read_bytes(), 0
    for k in range(len(whole)):
        flipped = bytearray(whole)
        flipped[k] ^= 1 << (k % 8)
        path.write_bytes(flipped)
        try:
            got = checkpoint.load(path)
        except CheckpointError as error:
            assert "net.npz" in str(error)
            continue
        harmless += 1
        assert got.provenance == PROVENANCE
        assert all(torch.equal(value, net.state_dict()[name]) for name, value in got.net.state_dict().items())
    assert 0 < harmless < len(whole) / 2


@pytest.mark.parametrize(("changes", "says"), [
    ({"0.weight": np.zeros(3)}, r"layer 0: weight of shape \(3,\)"),
    ({"0.weight": np.zeros((4, 2))}, r"layer 0: weight of shape \(4, 2\) and bias of \(3,\)"),
    ({"2.weight": np.zeros((1, 5))}, "a layer of 3 outputs is followed by one of 5 inputs"),
    ({"0.weight": np.full((3, 2), np.nan)}, r"0\.weight is float64 and holds a value that is not a finite number"),
    ({"0.bias": np.array([0.0, np.inf, 0.0])}, r"0\.bias .* not a finite number"),
    ({"0.weight": np.zeros((3, 2), dtype=int)}, r"0\.weight is int64"),
    ({"2.weight": None}, r"no array '2\.weight'"),
    ({"layers": None}, "no array 'layers'"),
    ({"provenance": None}, "no array 'provenance'"),
    ({"provenance": np.array("{")}, "cannot be read"),
    ({"provenance": np.array("[1]")}, "provenance of type list"),
    ({"provenance": np.array('{"widths": [2, 9, 1]}')}, r"arrays have widths \[2, 3, 1\], the provenance \[2, 9, 1\]"),
    ({"layers": np.array(["Linear", "Tanh", "Linear"])}, "layer 1 is a 'Tanh', not Linear or ReLU"),
    ({"layers": np.array(["ReLU"])}, "holds 0 Linear layers"),
])
def test_arrays_that_make_no_network(path, changes, says):
    rewrite(path, **changes)
    with pytest.raises(CheckpointError, match=says) as failed:
        checkpoint.load(path)
    assert "net.npz" in str(failed.value)
    assert "train again" in str(failed.value)


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("wrap", ["bare pickle", "array of objects"])
def test_a_pickle_is_not_executed(path, tmp_path, wrap):
    if wrap == "bare pickle":
        path.write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    else:
        rewrite(path, **{"0.weight": np.array([[Bomb(tmp_path / "boom")]], dtype=object)})
    with pytest.raises(CheckpointError, match="is damaged"):
        checkpoint.load(path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("at", ["write_bytes", "replace"])
def test_a_full_disk_leaves_the_earlier_file(path, net, monkeypatch, at):
    before = path.read_bytes()

    def full(self, *_):
        if at == "write_bytes":
            self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"pathlib.Path.{at}", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*net\.npz: No space left on device; free space or choose"):
        checkpoint.save(path, net, {"new": True})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["net.npz"]


def test_refuses_another_layer(tmp_path):
    with pytest.raises(CheckpointError, match="layer 1 is a Tanh"):
        checkpoint.save(tmp_path / "n.npz", nn.Sequential(nn.Linear(1, 1), nn.Tanh()), {})
    assert not list(tmp_path.iterdir())


def test_names_the_versions_that_matter():
    assert {"python", "torch", "torchdiffeq", "numpy", "scipy"} <= checkpoint.library_versions().keys()
