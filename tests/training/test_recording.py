"""Recordings: files and back, and one clear message for each kind of data from which no twin comes."""

import numpy as np
import pandas as pd
import pytest

from training.errors import RecordingError
from training.twins.csv_file import read_csv
from training.twins.recording import Recording

DRAW = np.random.default_rng(3)
INPUTS = DRAW.uniform(-1, 1, (4, 6, 1))
STATES = DRAW.normal(size=(4, 3, 7, 2))


def recording(**changes):
    return Recording(**{"inputs": INPUTS, "states": STATES, "step_time": 1e-3, "input_range": (-1.0, 1.0)} | changes)


def test_a_row_holds_the_observables_before_its_input_and_the_last_has_none():
    rows = recording().to_frame().set_index(["sequence", "repeat", "step"])
    assert len(rows) == 4 * 3 * 7
    assert list(rows.columns) == ["input", "x0", "x1"]
    assert rows.loc[(2, 1, 3)].tolist() == [INPUTS[2, 3, 0], STATES[2, 1, 3, 0], STATES[2, 1, 3, 1]]
    assert np.isnan(rows.loc[(2, 1, 6), "input"])


def test_a_file_gives_back_what_was_written(tmp_path):
    path = recording(device="mine", origin="deck", seed=5, units="V", provenance={"engine": "x"}).write(tmp_path / "a.parquet")
    back = Recording.read(path)
    np.testing.assert_array_equal(back.inputs, INPUTS)
    np.testing.assert_array_equal(back.states, STATES)
    assert (back.device, back.origin, back.seed, back.units, back.step_time) == ("mine", "deck", 5, "V", 1e-3)
    assert (back.input_range, back.provenance, back.rested) == ((-1.0, 1.0), {"engine": "x"}, True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_rows_in_any_order_and_several_inputs(tmp_path):
    two = recording(inputs=DRAW.uniform(-1, 1, (4, 6, 2)))
    frame = two.to_frame()
    shuffled = frame.sample(frac=1.0, random_state=0)
    shuffled.attrs = frame.attrs
    np.testing.assert_array_equal(Recording.from_frame(shuffled).inputs, two.inputs)


@pytest.mark.parametrize(("change", "message"), [
    ({"states": np.where(np.arange(7)[:, None] == 3, np.nan, STATES)}, "x0 of sequence 0, repeat 0, step 3 is nan, one of 24"),
    ({"inputs": np.full((4, 6, 1), np.inf)}, "input0 of sequence 0, repeat 0, step 0 is inf"),
    ({"inputs": INPUTS[:, :5]}, "one row more than inputs have steps"),
    ({"step_time": 0.0}, "step_time = 0.0 s"),
    ({"input_range": (-0.1, 0.1)}, r"input_range = \[-0.1, 0.1\], but the inputs go from"),
    ({"origin": "somewhere"}, "origin 'somewhere'; give one of deck, data, equation"),
])
def test_a_recording_that_is_none_is_refused(change, message):
    with pytest.raises(RecordingError, match=message):
        recording(**change)


@pytest.mark.parametrize(("change", "message"), [
    ({"inputs": np.full((4, 6, 1), 0.5)}, "input is 0.5 in every row .* drive it with random values"),
    ({"states": np.full((4, 3, 7, 2), 4.9)}, "x0 is 4.9 in every row .* not connected, or it rails"),
    ({"states": np.minimum(STATES, -0.8)}, r"x0 of 'device' stands at its limit -0.8 in \d+% of the rows: the device rails"),
])
def test_a_drive_that_says_nothing_is_refused(change, message):
    with pytest.raises(RecordingError, match=message):
        recording(**change).check_drive()


def test_one_sequence_cannot_be_split_and_several_are():
    with pytest.raises(RecordingError, match=r"holds one sequence of 6 steps.*--length"):
        recording().select([0]).split()
    fitted, held = recording().split(0.25)
    assert (fitted.sequences, held.sequences) == (3, 1)
    np.testing.assert_array_equal(held.states, STATES[3:])


def test_uneven_sequences_and_different_inputs_of_repeats_are_refused():
    frame = recording().to_frame()
    short = frame.drop(index=5)
    short.attrs = frame.attrs
    with pytest.raises(RecordingError, match="every step once"):
        Recording.from_frame(short)
    other = frame.copy()
    other.loc[(other["repeat"] == 1) & (other["step"] == 2), "input"] += 0.1
    other.attrs = frame.attrs
    with pytest.raises(RecordingError, match="different inputs"):
        Recording.from_frame(other)
    unknown = frame.drop(columns="x0")
    unknown.attrs = frame.attrs
    with pytest.raises(RecordingError, match="missing: x0"):
        Recording.from_frame(unknown)


def test_files_that_are_missing_or_damaged(tmp_path):
    with pytest.raises(RecordingError, match="does not exist"):
        Recording.read(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(RecordingError, match="no Parquet file that can be read"):
        Recording.read(tmp_path / "bad.parquet")


@pytest.fixture
def table():
    rows = np.arange(41)
    return pd.DataFrame({"time": rows * 0.5, "input": np.sin(rows), "x0": np.cos(rows), "x1": rows * 0.1})


def test_a_csv_of_one_sequence_is_cut_into_pieces_that_share_a_row(table, tmp_path):
    table.to_csv(tmp_path / "mine.csv", index=False)
    got = read_csv(tmp_path / "mine.csv", length=10)
    assert (got.sequences, got.repeats, got.steps, got.n_outputs, got.step_time) == (4, 1, 10, 2, 0.5)
    assert (got.device, got.origin, got.rested) == ("mine", "data", False)
    np.testing.assert_allclose(got.inputs[1, :, 0], np.sin(np.arange(10, 20)), atol=1e-12)
    np.testing.assert_allclose(got.states[1, 0, :, 1], 0.1 * np.arange(10, 21), atol=1e-12)
    np.testing.assert_array_equal(got.states[0, 0, -1], got.states[1, 0, 0])


@pytest.mark.parametrize(("change", "options", "message"), [
    (lambda t: t.assign(time=t["time"].where(t.index != 7, 3.9)), {"length": 10}, "times are uneven: row 7 comes 0.9 s after"),
    (lambda t: t.drop(columns="time"), {"length": 10}, "no column 'time' and no step_time"),
    (lambda t: t, {"length": 30}, "which is 1 pieces of 30"),
    (lambda t: t, {}, r"one sequence of 40 steps; give the length"),
    (lambda t: t.assign(input=1.0), {"length": 10}, "input is 1 in every row"),
    (lambda t: t.assign(x0=t["x0"].where(t.index != 12)), {"length": 10}, "x0 of sequence 1, repeat 0, step 2 is nan"),
    (lambda t: t.assign(x0=["word"] * len(t)), {"length": 10}, "column 'x0' holds something else than numbers"),
    (lambda t: t.drop(columns="x0"), {"length": 10}, "missing: x0"),
    (lambda t: t, {"length": 10, "step_time": 0.4}, "the times are 0.5 s apart"),
])
def test_a_csv_that_gives_no_twin_says_why(table, tmp_path, change, options, message):
    change(table).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(RecordingError, match=message):
        read_csv(tmp_path / "mine.csv", **options)


def test_a_csv_of_several_sequences(table, tmp_path):
    both = pd.concat([table.assign(sequence=k, x0=table["x0"] + k) for k in range(2)])
    both.to_csv(tmp_path / "mine.csv", index=False)
    got = read_csv(tmp_path / "mine.csv")
    assert (got.sequences, got.steps, got.rested) == (2, 40, True)
    np.testing.assert_allclose(got.states[1, 0, :, 0], np.cos(np.arange(41)) + 1.0, atol=1e-12)
