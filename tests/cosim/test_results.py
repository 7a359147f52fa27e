"""Results survive: whole or not at all, and known again."""

import os

import pandas as pd
import pytest

from cosim.errors import ResultsError
from cosim.store.files import content_key, is_current, read_frame, write_atomically, write_frame, write_json

FRAME = pd.DataFrame({"time": [0.0, 1.0], "twin": [2.0, 3.0]})


def test_round_trip_with_key_and_facts(tmp_path):
    path = tmp_path / "a" / "w.parquet"
    write_frame(path, FRAME, "k1", measures={"x": 1.5})
    got = read_frame(path)
    pd.testing.assert_frame_equal(got, FRAME)
    assert got.attrs == {"key": "k1", "measures": {"x": 1.5}}
    assert is_current(path, "k1")
    assert not is_current(path, "k2")
    assert not is_current(tmp_path / "none.parquet", "k1")


def test_a_damaged_result_is_not_current_and_is_named(tmp_path):
    path = tmp_path / "w.parquet"
    path.write_bytes(b"PAR1 nonsense")
    assert not is_current(path, "k")
    with pytest.raises(ResultsError, match=r"w\.parquet is damaged"):
        read_frame(path)


def test_a_failed_write_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "m.json"
    write_json(path, {"a": 1})

    def full(self, data):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(ResultsError, match="No space left on device; the earlier file, if any, is unchanged"):
        write_json(path, {"a": 2})
    monkeypatch.undo()
    assert '"a": 1' in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


def test_nan_never_gets_into_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "m.json", {"a": float("nan")})


def test_keys_tell_where_parts_end():
    assert content_key(["ab", "c"]) != content_key(["a", "bc"])
    assert content_key(["ab"]) == content_key([b"ab"])


def test_missing_is_an_error(tmp_path):
    with pytest.raises(ResultsError, match="does not exist"):
        read_frame(tmp_path / "gone.parquet")
    write_atomically(tmp_path / "x", b"1")
    assert (tmp_path / "x").read_bytes() == b"1"
