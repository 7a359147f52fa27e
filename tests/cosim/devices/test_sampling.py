"""`cosim device`: what is drawn, what is stored, what a killed study leaves, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from circuits.dynamic.catalogue import DEVICES, find_device
from circuits.dynamic.data_device import read_data_device
from circuits.dynamic.device import DeviceError
from circuits.errors import SeveralFailed
from cosim.cli.main import app
from cosim.devices import sampling
from cosim.devices.plan import SamplingPlan
from cosim.devices.sampling import sample
from cosim.devices.source import read_device
from cosim.errors import CosimError, ResultsError
from cosim.store.files import read_frame

DOCS = Path(__file__).parents[3] / "docs"
PLAN = SamplingPlan(sequences=4, length=6, repeats=3, seed=7)


@pytest.mark.parametrize("name", ["leaky_integrator", "ring_array_like"])
def test_a_recording_is_the_devices_answer(tmp_path, name):
    device = find_device(name)
    assert sample(device, PLAN, tmp_path / "d.parquet")
    frame = read_frame(tmp_path / "d.parquet")
    assert list(frame.columns) == ["sequence", "repeat", "step", "input", *(f"x{k}" for k in range(device.n_outputs))]
    assert len(frame) == 4 * 3 * 7
    assert frame.attrs["device"] == name and frame.attrs["origin"] == device.origin
    assert frame.attrs["step_time"] == device.step_time and frame.attrs["seed"] == 7
    assert "correlation time" in frame.attrs["provenance"]["noise"]
    assert frame.loc[frame.step == 6, "input"].isna().all() and frame.loc[frame.step < 6, "input"].notna().all()
    run = frame[(frame.sequence == 2) & (frame.repeat == 1)]
    driven = np.concatenate([np.full(12, device.input_range[1]), run.input.to_numpy()[:-1]])[None, :, None]
    alone = device.respond(driven, device.draw(18, [np.random.default_rng([7, 1, 2, 1])]))[0, 12:]
    # a copy alone in its deck or among others: V, and the solver's steps differ by what the others need
    np.testing.assert_allclose(run[[f"x{k}" for k in range(device.n_outputs)]], alone, rtol=0, atol=2e-5)
    starts = frame[frame.step == 0]
    assert starts.x0.nunique() == 12  # an empirical distribution


def test_inputs_are_new_at_every_step_or_held():
    device = find_device("reference_leaky")
    plan = replace(PLAN, sequences=200, length=40)
    inputs = np.stack([plan.inputs(device, k)[:, 0] for k in range(200)])
    assert inputs.min() >= -2 and inputs.max() <= 2 and inputs.std() == pytest.approx(4 / np.sqrt(12), rel=0.05)
    changed = np.diff(inputs, axis=1) != 0
    assert changed[::2].all()
    assert changed[1::2].mean() == pytest.approx(1 / 4.5, rel=0.1)  # of holds of 1 to 8 steps
    longest = max(len(list(hold)) for row in changed[1::2] for hold in np.split(row, np.flatnonzero(row)))
    assert longest <= 8


def test_a_larger_plan_holds_the_smaller(tmp_path):
    device = find_device("reference_leaky")
    small, large = tmp_path / "s.parquet", tmp_path / "l.parquet"
    sample(device, PLAN, small)
    sample(device, replace(PLAN, sequences=6, repeats=5), large)
    both = read_frame(small).merge(read_frame(large), on=["sequence", "repeat", "step"], suffixes=("", "_l"))
    assert len(both) == 4 * 3 * 7
    np.testing.assert_array_equal(both.x0, both.x0_l)


def test_a_killed_study_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "COPIES", 3)
    device, out = find_device("leaky_integrator"), tmp_path / "d.parquet"

    def kill(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(device, PLAN, out, workers=1, progress=kill)
    assert not out.exists()
    assert len(list((tmp_path / "d.parquet.parts").glob("*.parquet"))) == 2
    seen = []
    assert sample(device, PLAN, out, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 4), (3, 4), (4, 4)]
    assert [path.name for path in tmp_path.iterdir()] == ["d.parquet"]
    assert not sample(device, PLAN, out)  # current
    assert sample(device, replace(PLAN, seed=8), out)
    assert read_frame(out).attrs["seed"] == 8


def test_decks_that_fail_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "COPIES", 6)
    monkeypatch.setattr(sampling, "TIMEOUT", 1e-3)
    with pytest.raises(SeveralFailed, match="2 decks failed\ntimeout"):
        sample(find_device("leaky_integrator"), PLAN, tmp_path / "d.parquet")


@pytest.mark.parametrize(("changes", "message"), [
    ({"sequences": 1}, "one sequence is not enough"), ({"length": 0}, "length = 0"), ({"repeats": 0}, "repeats = 0"),
    ({"seed": -1}, "seed = -1"),
])
def test_impossible_plans(changes, message):
    with pytest.raises(ResultsError, match=message):
        replace(PLAN, **changes)


def test_a_device_that_does_not_answer_or_rails(tmp_path):
    device = find_device("reference_leaky")
    dead = replace(device, observe=lambda x: 0 * x + 1)
    with pytest.raises(DeviceError, match="observable x0 is 1 in every row"):
        sample(dead, PLAN, tmp_path / "d.parquet")
    railed = replace(device, observe=lambda x: np.clip(x, -9.0, 0.1))
    with pytest.raises(DeviceError, match="stands at 0.1 in .* so it rails"):
        sample(railed, replace(PLAN, length=40), tmp_path / "d.parquet")


def test_a_recording_has_a_name_that_says_what_it_is(tmp_path):
    with pytest.raises(ResultsError, match="ends with .parquet"):
        sample(find_device("reference_leaky"), PLAN, tmp_path / "d.csv")


# measurements


def measured(rows=41, **changes):
    t = np.arange(rows) * 0.01
    s = np.sin(np.arange(rows) * 1.3)
    return pd.DataFrame({"time": t, "input": s, "x0": np.cumsum(s) / 9, "x1": s**2} | changes)


def test_a_file_of_one_long_sequence_is_cut(tmp_path):
    measured().to_csv(tmp_path / "My device.csv", index=False)
    device = read_data_device(tmp_path / "My device.csv", length=10)
    assert (device.name, device.step_time, device.n_outputs) == ("my_device", pytest.approx(0.01), 2)
    assert device.inputs.shape == (4, 10, 1) and device.states.shape == (4, 1, 11, 2)
    np.testing.assert_array_equal(device.states[0, 0, -1], device.states[1, 0, 0])
    np.testing.assert_array_equal(device.respond(device.inputs[2:3])[0], device.states[2, 0])
    with pytest.raises(DeviceError, match="none of the 4 recorded sequences; data cannot be driven"):
        device.respond(device.inputs[:1] / 2)
    with pytest.raises(DeviceError, match="asks for repeat 1 of sequence 0, the file has 1"):
        device.respond(device.inputs[[0, 0]])


def test_a_recording_of_ours_is_a_file_of_measurements(tmp_path):
    sample(find_device("ring_array_like"), PLAN, tmp_path / "r.parquet")
    device = read_data_device(tmp_path / "r.parquet")
    assert device.states.shape == (4, 3, 7, 3) and device.step_time == 0.25
    frame = read_frame(tmp_path / "r.parquet")
    np.testing.assert_array_equal(device.states[..., 1].ravel(), frame.x1)


def changed(column, row, value):
    frame = measured()
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(("frame", "length", "message"), [
    (changed("x0", 13, np.nan), 10, "x0 of sequence 1, repeat 0, step 3 is no finite number"),
    (changed("input", 5, np.inf), 10, "input of sequence 0"),
    (changed("time", 7, 0.0735), 10, "times are uneven, a step of 0.0135 s .the 7. of the file."),
    (measured(input=1.0), 10, "input is 1 in every row; drive the device"),
    (measured(x1=0.5), 10, "x1 is 0.5 in every row; the device does not answer"),
    (measured(), None, "one sequence of 40 steps, length None"),
    (measured(), 30, "one sequence of 40 steps, length 30"),
    (measured().drop(columns="input"), 10, "name the input columns"),
    (measured().rename(columns={"x1": "x2"}), 10, "name the x columns x0, x1, ... without a gap"),
    (measured(x0="a"), 10, "column x0 holds something else than numbers"),
    (measured().drop(columns="time"), 10, "no column time; give the step_time"),
    (measured(sequence=[0] * 20 + [1] * 21), None, "runs of 20 to 21 rows"),
    (measured(rows=1), 10, "has 1 rows"),
])
def test_measurements_that_are_not_fit(tmp_path, frame, length, message):
    frame.to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(DeviceError, match=message):
        read_data_device(tmp_path / "m.csv", length=length)


def test_files_that_are_not_there_or_no_tables(tmp_path):
    with pytest.raises(DeviceError, match="does not exist"):
        read_device(str(tmp_path / "m.csv"))
    (tmp_path / "m.parquet").write_bytes(b"nonsense")
    with pytest.raises(DeviceError, match="no Parquet file that can be read"):
        read_device(str(tmp_path / "m.parquet"))


# a Python file, the command


def test_a_device_of_ones_own_is_a_python_file(tmp_path):
    (tmp_path / "mine.py").write_text("""
from dataclasses import replace
from circuits.dynamic.leaky_integrator import leaky_integrator

def device():
    return replace(leaky_integrator(), name="mine", step_time=0.5e-3)
""")
    assert read_device(str(tmp_path / "mine.py")).name == "mine"
    (tmp_path / "broken.py").write_text("def device():\n    return 1 / 0\n")
    with pytest.raises(CosimError, match="broken.py failed: ZeroDivisionError"):
        read_device(str(tmp_path / "broken.py"))
    (tmp_path / "other.py").write_text("def device():\n    return 1\n")
    with pytest.raises(CosimError, match="returned a int"):
        read_device(str(tmp_path / "other.py"))


def test_the_how_to_of_an_own_deck_works_as_written(tmp_path):
    page = (DOCS / "how-to" / "your-own-device-as-a-deck.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "lowpass.py").write_text(block)
    device = read_device(str(tmp_path / "lowpass.py"))
    out = device.respond(np.repeat([[0.5], [0.0]], 24, axis=1)[..., None])[:, :, 0]
    np.testing.assert_allclose(out, np.repeat([[0.5], [0.0]], 25, axis=1), atol=1e-4)  # V, at rest under the first input
    noisy = device.respond(np.zeros((40, 48, 1)), device.draw(48, [np.random.default_rng(k) for k in range(40)]))[:, 24:]
    assert noisy.std() == pytest.approx(5e-3 * np.sqrt(1 / 3), rel=0.2)  # behind 10 ms, correlation time 5 ms
    assert sample(device, PLAN, tmp_path / "lowpass.parquet")


def test_commands(tmp_path):
    listed = CliRunner().invoke(app, ["device", "list"])
    assert listed.exit_code == 0 and all(name in listed.output for name in DEVICES)
    out = tmp_path / "s.parquet"
    call = ["device", "sample", "spin_ice_like", "--sequences", "3", "--length", "5", "--repeats", "2", "--out", str(out)]
    first = CliRunner().invoke(app, call)
    assert first.exit_code == 0 and f"recording: {out}" in first.output
    assert "is current" in CliRunner().invoke(app, call).output
    assert len(read_frame(out)) == 3 * 2 * 6
    measured().to_csv(tmp_path / "m.csv", index=False)
    data = CliRunner().invoke(app, ["device", "sample", str(tmp_path / "m.csv"), "--length", "8", "--out",
                                    str(tmp_path / "m.parquet")])
    assert data.exit_code == 0, data.output
    frame = read_frame(tmp_path / "m.parquet")
    assert frame.attrs["origin"] == "data" and len(frame) == 5 * 9
