"""Samples: where they come from, what is between, before and after them, and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training.errors import StimulusError
from training.stimuli import Constant, Sampled

TIMES = np.array([0.0, 0.1, 0.25, 0.3, 0.7])
VALUES = np.array([1.0, 3.0, -1.0, -1.0, 2.0])


def test_straight_lines_between_samples():
    s = Sampled(times=TIMES, values=VALUES)
    assert s(0.05) == pytest.approx(2.0)
    assert s(0.175) == pytest.approx(1.0)
    assert s(0.28) == -1.0
    assert s(0.5) == pytest.approx(0.5)


def test_held_until_the_next_sample_with_an_edge_after_its_time():
    s = Sampled(times=TIMES, values=VALUES, interpolation="hold", edge=0.01)
    assert [s(t) for t in (0.0, 0.05, 0.1)] == [1.0, 1.0, 1.0]
    assert s(0.105) == pytest.approx(2.0)
    assert [s(t) for t in (0.11, 0.2, 0.25)] == [3.0, 3.0, 3.0]
    assert [s(t) for t in (0.26, 0.3, 0.69)] == [-1.0, -1.0, -1.0]
    np.testing.assert_allclose(s.breakpoints(0.7), [0.1, 0.11, 0.25, 0.26])  # nothing moves at 0.3 s
    assert Sampled(times=TIMES, values=VALUES, interpolation="hold").edge == pytest.approx(0.0005)  # 1/100 of 0.05 s


def test_before_the_first_and_after_the_last():
    late = Sampled(times=TIMES + 0.2, values=VALUES)
    assert (late(0.0), late(0.2), late(0.3)) == (1.0, 1.0, pytest.approx(3.0))
    assert late.resolved(0.9) is late  # the data end at 0.9 s
    with pytest.raises(StimulusError, match="sampled: the last of its 5 samples is at 0.9 s, and it must last until 0.91 s; "
                                            "shorten the case, or give hold_last=True"):
        late.resolved(0.91)
    held = Sampled(times=TIMES + 0.2, values=VALUES, hold_last=True)
    assert held.resolved(5.0) is held
    assert held(5.0) == 2.0
    early = Sampled(times=TIMES - 0.1, values=VALUES)
    assert early(0.0) == pytest.approx(3.0)
    assert early.spice_sources(2.0, 0.0, 0.1)[0].startswith("pwl(0.0 6.0 ")
    before = Sampled(times=TIMES - 5.0, values=VALUES, hold_last=True)
    assert before.spice_sources(2.0, 0.0, 0.1) == ("pwl(0.0 4.0 0.1 4.0)",)


def test_rounding_of_the_last_time_is_no_missing_data():
    s = Sampled.at_rate(np.arange(11.0), rate=10.0)
    assert s.resolved(1.0 + 1e-12) is s


def test_times_are_a_record_of_another_clock():
    s = Sampled(times=TIMES + 17.3, values=VALUES).since(17.3)
    assert s(0.05) == pytest.approx(2.0)
    halves = (0.5 * s).resolved(0.7)
    assert halves(0.1) == pytest.approx(1.5)


@pytest.mark.parametrize("given_as", [list, tuple, np.array, torch.tensor, lambda x: np.array(x, dtype=np.float32)])
def test_from_any_sequence_of_numbers(given_as):
    assert Sampled(times=given_as([0, 1, 2]), values=given_as([3, 4, 5])) == Sampled(times=[0, 1, 2], values=[3.0, 4.0, 5.0])


def test_from_a_series():
    s = Sampled.from_series(pd.Series(VALUES, index=TIMES, name="u"))
    assert s == Sampled(times=TIMES, values=VALUES, source="series u")
    dates = pd.to_datetime("2026-03-01 12:00") + pd.to_timedelta(TIMES, unit="s")
    np.testing.assert_allclose(Sampled.from_series(pd.Series(VALUES, index=dates)).times, TIMES, atol=1e-9)
    spans = pd.to_timedelta(TIMES + 3.0, unit="s")
    np.testing.assert_allclose(Sampled.from_series(pd.Series(VALUES, index=spans)).times, TIMES, atol=1e-9)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_from_a_file(tmp_path, kind):
    frame, path = pd.DataFrame({"t": TIMES, " drive": VALUES, "more": VALUES * 2}), tmp_path / f"measured.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
    s = Sampled.from_file(path, "drive", time="t")
    assert s == Sampled(times=TIMES, values=VALUES, source=f"measured.{kind}, column drive")
    at_rate = Sampled.from_file(str(path), "more", rate=50.0, interpolation="hold", hold_last=True)
    np.testing.assert_allclose(at_rate.times, [0, 0.02, 0.04, 0.06, 0.08])
    assert (at_rate.interpolation, at_rate.hold_last) == ("hold", True)


@pytest.mark.parametrize(("how", "says"), [
    ({"column": "dirve", "time": "t"}, r"measured.csv has no column 'dirve'; its columns are t, drive"),
    ({"column": "drive", "time": "time"}, r"measured.csv has no column 'time'; its columns are t, drive"),
    ({"column": "drive"}, r"give the name of the column that holds the time, or the rate \[samples/s\], and not both"),
    ({"column": "drive", "time": "t", "rate": 10.0}, "not both"),
    ({"column": "drive", "rate": 0.0}, r"rate = 0.0 samples/s; it must be finite and above 0"),
])
def test_a_file_and_what_is_asked_of_it_must_fit(tmp_path, how, says):
    path = tmp_path / "measured.csv"
    pd.DataFrame({"t": TIMES, "drive": VALUES}).to_csv(path, index=False)
    with pytest.raises(StimulusError, match=says):
        Sampled.from_file(path, **how)


@pytest.mark.parametrize(("text", "says"), [
    ("t,v\n0,1\n1,n.a.\n2,3\n", r"column v: row 1 holds 'n.a.', which is no number"),
    ("t,v\n0,1\n1,\n2,3\n", r"m.csv, column v: values\[1\] = nan at t = 1 s is not a finite number; .*dropna"),
    ("t,v\n0,1\n,2\n2,3\n", r"m.csv, column v: times\[1\] = nan s is not a finite number"),
    ("t,v\n0,1\n1,2\n1,3\n", r"times\[2\] = 1.0 s comes after 1.0 s; times must ascend"),
    ("t,v\n0,1\n2,2\n1,3\n", r"times\[2\] = 1.0 s comes after 2.0 s"),
    ("t,v\n0,1\n", r"m.csv, column v: 1 samples; give two or more, or Constant"),
    ("t,v\n", r"m.csv, column v: 0 samples"),
    ("", r"m.csv cannot be read as .csv: No columns"),
    ("t;v\n0,5;1\n", r"its columns are t;v; they seem to be separated by ';'.*read_csv\(path, sep=';'\), with decimal"),
    ('t,v\n0,1\n1,"0,5"\n', r"row 1 holds '0,5' with a decimal comma, for which pandas.read_csv takes decimal=\",\""),
    ("t,v\n02/03/2024 10:00,1\n02/03/2024 10:01,2\n", r"row 0 holds '02/03/2024 10:00', which is no number"),
    ("t,v\n12:00,1\n12:01,2\n", r"column t: row 0 holds '12:00', which is no number; .*from_series"),
])
def test_a_damaged_file_is_refused_with_the_place(tmp_path, text, says):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(StimulusError, match=says):
        Sampled.from_file(tmp_path / "m.csv", "v", time="t")


def test_dates_in_a_file_count_from_the_first(tmp_path):
    (tmp_path / "m.csv").write_text("t,v\n2024-03-02 10:00:00,1\n2024-03-02 10:00:00.5,2\n2024-03-02 10:01:00,3\n")
    np.testing.assert_allclose(Sampled.from_file(tmp_path / "m.csv", "v", time="t").times, [0, 0.5, 60], atol=1e-9)  # s


def test_a_german_file_is_read_as_the_message_says(tmp_path):
    (tmp_path / "m.csv").write_text("t;v\n0,0;1\n0,5;2,5\n")
    series = pd.read_csv(tmp_path / "m.csv", sep=";", decimal=",").set_index("t")["v"]
    assert Sampled.from_series(series)(0.5) == 2.5


def test_a_record_that_begins_behind_the_run_is_refused_and_can_be_moved():
    late = Sampled(times=TIMES + 5, values=VALUES)
    with pytest.raises(StimulusError, match=r"its first sample is at 5 s, and it is needed from 0 to 2 s; .*\.since\(5\)"):
        late.resolved(2.0)
    end = float(TIMES[-1])
    assert late.since(5).resolved(end)(end) == pytest.approx(VALUES[-1])


@pytest.mark.parametrize(("name", "content", "says"), [
    ("m.parquet", b"no parquet", "m.parquet cannot be read as .parquet"),
    ("m.csv.gz", b"no gzip", "m.csv.gz cannot be read"),
    ("m.csv", b"\xff\xfe\x00", "m.csv cannot be read as .csv"),
    ("m.xlsx", b"", r"a file ends in .csv or .parquet; read another kind with pandas"),
    ("none.csv", None, "none.csv cannot be read: No such file"),
])
def test_a_file_that_cannot_be_read(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StimulusError, match=says):
        Sampled.from_file(tmp_path / name, "v", time="t")


@pytest.mark.parametrize(("fields", "says"), [
    ({"times": TIMES[:4]}, "4 times and 5 values; give one time per value"),
    ({"values": VALUES[:, None]}, r"values have shape \(5, 1\); give a one-dimensional array"),
    ({"values": VALUES * 1j}, "values are not numbers .they are of type complex128"),
    ({"values": ["a", "b", "c", "d", "e"]}, "values are not numbers"),
    ({"times": [0, 0.1, 0.2, np.inf, 0.4]}, r"times\[3\] = inf s"),
    ({"interpolation": "cubic"}, "interpolation 'cubic'; it is one of linear, hold"),
    ({"edge": 0.1}, "edge = 0.1 s belongs to interpolation \"hold\""),
    ({"interpolation": "hold", "edge": 0.05}, "below the smallest spacing of the samples, 0.05 s"),
    ({"interpolation": "hold", "edge": 0.0}, "it must be above 0 s"),
    ({"error": -1.0}, "error = -1.0"),
])
def test_refuses_what_is_no_signal(fields, says):
    with pytest.raises(StimulusError, match=says):
        Sampled(**{"times": TIMES, "values": VALUES, **fields})


def test_equality_and_hash_are_those_of_the_content():
    s = Sampled(times=TIMES, values=VALUES)
    assert s == Sampled(times=TIMES.copy(), values=VALUES.copy())
    assert hash(s) == hash(Sampled(times=TIMES.copy(), values=VALUES.copy()))
    assert Sampled(times=[0, 1], values=[0.0, 1.0]) == Sampled(times=[0, 1], values=[-0.0, 1.0])
    moved = VALUES.copy()
    moved[2] += 1e-15
    assert s != Sampled(times=TIMES, values=moved)
    assert s != Sampled(times=TIMES, values=VALUES, hold_last=True)
    assert s != Constant(value=1.0)
    assert len({s, Sampled(times=TIMES, values=VALUES), Sampled(times=TIMES, values=moved)}) == 2


def test_samples_cannot_be_changed_behind_its_back():
    values = VALUES.copy()
    s = Sampled(times=TIMES, values=values)
    values[0] = 9.0
    assert s(0.0) == 1.0
    with pytest.raises(ValueError, match="read-only"):
        s.values[0] = 9.0


def test_thinning_leaves_out_what_straight_lines_replace():
    times = np.linspace(0.0, 1.0, 20001)
    s = Sampled(times=times, values=np.sin(2 * np.pi * times))
    thin = s.thinned(1e-4)
    off = np.abs(thin(times) - s.values).max()
    assert off == pytest.approx(thin.error, abs=1e-15)
    assert off <= 1e-4 * 2.0
    # A chord over h is off by w^2 h^2 / 8 at most: 2e-4 allow h = 6.4 ms at the peaks, so some 100 corners a period
    assert 60 < len(thin.times) < 160
    assert (thin.times[0], thin.times[-1]) == (0.0, 1.0)
    straight = Sampled(times=times, values=3.0 * times).thinned(1e-6)
    assert len(straight.times) == 2
    assert s.thinned(1e-4).thinned(1e-3).error >= thin.error
    with pytest.raises(StimulusError, match="interpolation 'hold'; only samples that are joined by straight lines"):
        Sampled(times=TIMES, values=VALUES, interpolation="hold").thinned()


records = st.integers(2, 40).flatmap(lambda n: st.tuples(
    arrays.arrays(np.float64, n, elements=st.floats(1e-3, 1.0)), arrays.arrays(np.float64, n, elements=st.floats(-5, 5))))


@given(record=records, interpolation=st.sampled_from(["linear", "hold"]), start=st.floats(-2.0, 2.0))
def test_any_record(record, interpolation, start):
    spacings, values = record
    times = start + np.cumsum(spacings)
    s = Sampled(times=times, values=values, interpolation=interpolation, hold_last=True)
    np.testing.assert_allclose(s(np.maximum(times, 0.0))[times >= 0], values[times >= 0] if interpolation == "linear" else
                               values[np.maximum(np.arange(len(values)) - 1, 0)][times >= 0], atol=1e-9)
    end = max(float(times[-1]), 0.0) + 0.5
    middles = 0.5 * (times[1:] + times[:-1])
    inside = middles > 0
    expected = values[:-1] if interpolation == "hold" else 0.5 * (values[1:] + values[:-1])
    np.testing.assert_allclose(s(middles)[inside], expected[inside], atol=1e-9)
    corners = np.unique([0.0, *s.breakpoints(end), end])
    trapezia = np.sum(np.diff(corners) * 0.5 * (s(corners)[1:] + s(corners)[:-1]))
    assert s.integral(np.array([end]))[0] == pytest.approx(trapezia, abs=1e-8)
    numbers = s.spice_sources(2.0, 0.01, end)[0].removeprefix("pwl(").removesuffix(")").split()
    at, volts = np.array(numbers, dtype=float).reshape(-1, 2).T
    assert (np.diff(at) > 0).all()
    grid = np.linspace(0.0, end, 97)
    np.testing.assert_allclose(np.interp(grid + 0.01, at, volts), 2.0 * s(grid), atol=1e-9)


def test_pandas_is_imported_for_its_own_objects_alone():
    program = ("import sys\nfrom training.stimuli import as_stimulus\nas_stimulus(([0, 1], [2, 3])).spice_sources(1, 0, 1)\n"
               "print({'pandas', 'scipy.signal'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "set()"
