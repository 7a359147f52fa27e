"""Reading a manifest back: what it says, and every way in which it can be damaged."""

import json
from threading import Thread

import numpy as np
import pytest

from circuits.netlist.folder_lock import only_writer
from cosim.errors import ResultsError
from cosim.folder.manifest import read_manifest


@pytest.fixture(scope="module")
def decks(tmp_path_factory, small_experiment):
    folder = tmp_path_factory.mktemp("decks")
    small_experiment.compile(folder)
    return folder


@pytest.fixture
def written(decks, tmp_path):
    """Writes a changed manifest and returns its folder."""
    content = json.loads((decks / "manifest.json").read_text())

    def write(change):
        change(content)
        (tmp_path / "manifest.json").write_text(json.dumps(content))
        return tmp_path

    return write


def test_says_what_was_compiled(decks, small_experiment):
    manifest = read_manifest(decks)
    assert (manifest.subject, manifest.columns, manifest.widths) == ("test", ("u0", "x0"), (2, 5, 3, 1))
    assert manifest.weights == decks / "weights.npz"
    assert manifest.cases == {"sine": small_experiment.cases[0]}
    assert manifest.start == 5e-3  # s
    # 0.2 V with a headroom of 1.25 stand for the largest state of the calibration, 0.4
    assert manifest.scales.states == (pytest.approx(0.4),)
    largest = np.abs(small_experiment.calibration.inputs).max()
    assert 0.99 * 0.16 < manifest.scales.inputs[0] * largest <= 0.16 * (1 + 1e-12)  # V; three digits, rounded down


@pytest.mark.parametrize(("change", "says"), [
    (lambda m: m.pop("subject"), "KeyError: 'subject'"),
    (lambda m: m.pop("layers"), "KeyError: 'layers'"),
    (lambda m: m["layers"][1].pop("r_f"), "KeyError: 'r_f'"),
    (lambda m: m["model"].pop("weights"), "KeyError: 'weights'"),
    (lambda m: m.update(scales=[1, 2]), "AttributeError"),
    (lambda m: m["scales"].update(extra=1), "TypeError"),
    (lambda m: m["scales"].update(hidden=[]), "scale hidden has 0 entries for"),
    (lambda m: m["scales"]["hidden"].__setitem__(0, [0.1]), "scale hidden of layer 1 has 1 values for"),
    (lambda m: m["scales"]["hidden"].__setitem__(0, -0.1), "must be above 0"),
    (lambda m: m.update(cases=[]), "IndexError"),
    (lambda m: m["cases"][0].update(name="../x"), "case name '../x'"),
    (lambda m: m["cases"][0].update(duration=-1), "duration -1"),
    (lambda m: m["cases"][0]["stimuli"][0].update(name="cosine"), "KeyError: 'cosine'"),
    (lambda m: m["cases"][0]["stimuli"][0].update(period=0), "period = 0 s"),
])
def test_a_field_that_is_missing_or_wrong_is_named(written, change, says):
    with pytest.raises(ResultsError, match=r"manifest\.json is damaged .*; compile again") as failed:
        read_manifest(written(change))
    assert says in str(failed.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe\x00", b'"text"'])
def test_what_is_no_manifest_at_all(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ResultsError, match=r"manifest\.json is damaged .*; compile again"):
        read_manifest(tmp_path)


def test_another_format_is_told_from_damage(written):
    with pytest.raises(ResultsError, match="has format 2, this version reads 1; compile again"):
        read_manifest(written(lambda m: m.update(format=2)))


def test_compiling_again_mends_a_damaged_folder(tmp_path, small_experiment, decks):
    (tmp_path / "manifest.json").write_text("{")
    small_experiment.compile(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == (decks / "manifest.json").read_bytes()


def test_compiling_waits_for_another_that_writes_the_folder(tmp_path, small_experiment, contents):
    compiling = Thread(target=small_experiment.compile, args=(tmp_path,))
    with only_writer(tmp_path):
        compiling.start()
        compiling.join(4)  # alone it takes one
        assert compiling.is_alive()
        assert contents(tmp_path) == {}
    compiling.join(30)
    assert read_manifest(tmp_path).subject == "test"
