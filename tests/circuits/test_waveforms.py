"""Waveforms: names, resampling, frames; and the raw files that they come from."""

import struct

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.engine.rawfile import read_raw
from circuits.engine.waveforms import Waveforms
from circuits.errors import CircuitError, MissingVector, RawFileError, ResamplingError

HEADER = ("Title: a title\nDate: today\nPlotname: {plot}\nFlags: {flags}\nNo. Variables: 3\nNo. Points: {points}     \n"
          "Variables:\n")
VECTORS = "\t0\ttime\ttime\n\t1\tV(out)\tvoltage\n\t2\ti(v1)\tcurrent\n"


def binary_plot(rows, *, points=None, plot="Transient Analysis", flags="real"):
    head = HEADER.format(plot=plot, flags=flags, points=len(rows) if points is None else points) + VECTORS
    values = [part for row in rows for value in row
              for part in ((value.real, value.imag) if flags == "complex" else (value,))]
    return (head + "Binary:\n").encode() + struct.pack(f"{len(values)}d", *values)


@pytest.fixture
def raw(tmp_path):
    def write(content):
        path = tmp_path / "out.raw"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def sine():
    time = np.concatenate([[0.0], np.sort(np.random.default_rng(3).uniform(0, 1, 400)), [1.0]])
    return Waveforms(plot="Transient Analysis", title="t", names=("time", "v(out)", "i(v1)"),
                     data=np.column_stack([time, np.sin(6 * time), -time]))


@pytest.mark.parametrize(("name", "column"), [("v(out)", 1), ("V( Out )", 1), ("out", 1), ("i(v1)", 2), ("V1#branch", 2)])
def test_a_vector_has_the_names_that_save_accepts(sine, name, column):
    assert_allclose(sine[name], sine.data[:, column], rtol=0, atol=0)
    assert name in sine


def test_missing_vector_lists_what_is_close(sine):
    with pytest.raises(MissingVector, match=r"v\(oot\).*closest: v\(out\)"):
        sine["v(oot)"]
    assert "v(oot)" not in sine


def test_time_is_only_a_transients(sine):
    assert_allclose(sine.time, sine.scale, rtol=0, atol=0)
    sweep = Waveforms(plot="DC", title="", names=("v-sweep", "v(a)"), data=np.zeros((2, 2)))
    with pytest.raises(MissingVector, match="v-sweep"):
        _ = sweep.time


def test_resample_follows_the_curve(sine):
    times = np.linspace(0, 1, 333)
    assert_allclose(sine.resample("v(out)", times), np.sin(6 * times), rtol=0, atol=3e-4)  # V, cubic on steps of 2.5 ms


def test_resample_of_a_complex_vector():
    frequency = np.linspace(1, 2, 200)
    data = np.column_stack([frequency + 0j, 1 / (1 + 1j * frequency)])
    plot = Waveforms(plot="AC", title="", names=("frequency", "v(a)"), data=data)
    assert_allclose(plot.resample("v(a)", [1.2345]), 1 / (1 + 1.2345j), rtol=1e-5)


def test_resample_takes_the_last_of_repeated_times():
    steps = Waveforms(plot="t", title="", names=("time", "v(a)"), data=np.array([[0, 0], [1, 0], [1, 5], [2, 5.0]]))
    assert_allclose(steps.resample("v(a)", [1.0, 1.5, 2.0]), 5.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("times", [[-0.01], [1.01], [0.5, np.nan]])
def test_resample_extrapolates_nothing(sine, times):
    with pytest.raises(ResamplingError):
        sine.resample("v(out)", np.array(times))


def test_resample_refuses_a_scale_that_runs_backwards():
    nested = Waveforms(plot="DC", title="", names=("v-sweep", "v(a)"), data=np.array([[0, 0], [1, 1], [0, 2], [1, 3.0]]))
    with pytest.raises(ResamplingError, match="backwards"):
        nested.resample("v(a)", [0.5])


def test_crossing_is_interpolated_either_way(sine):
    assert sine.crossing("out", 0.5) == pytest.approx(np.arcsin(0.5) / 6, abs=1e-5)
    assert sine.crossing("out", 0.5, after=0.2) == pytest.approx((np.pi - np.arcsin(0.5)) / 6, abs=1e-5)
    assert sine.crossing("i(v1)", -0.25) == pytest.approx(0.25, abs=1e-9)


def test_a_level_that_is_not_crossed_is_an_error(sine):
    with pytest.raises(CircuitError, match=r"does not cross 2; correct the level"):
        sine.crossing("out", 2.0)
    with pytest.raises(CircuitError, match=r"after time = 0.9"):
        sine.crossing("out", 0.5, after=0.9)


def test_frame(sine):
    frame = sine.to_frame()
    assert frame.index.name == "time"
    assert list(frame.columns) == ["v(out)", "i(v1)"]
    assert len(frame) == len(sine)


def test_names_and_columns_must_match():
    with pytest.raises(CircuitError, match="2 names"):
        Waveforms(plot="", title="", names=("time", "v(a)"), data=np.zeros((4, 3)))


ROWS = [(0.0, 1.0, 2.0), (1.0, 3.0, 4.0)]


def test_binary_real(raw):
    (plot,) = read_raw(raw(binary_plot(ROWS)))
    assert plot.names == ("time", "v(out)", "i(v1)")
    assert (plot.title, plot.plot, plot.partial) == ("a title", "Transient Analysis", False)
    assert_allclose(plot.data, ROWS, rtol=0, atol=0)


def test_binary_complex(raw):
    rows = [(1 + 0j, 1 - 2j, 3 + 4j)]
    (plot,) = read_raw(raw(binary_plot(rows, flags="complex")))
    assert_allclose(plot.data, rows, rtol=0, atol=0)


def test_ascii_real_and_complex(raw):
    real = HEADER.format(plot="p", flags="real", points=2) + VECTORS
    real += "Values:\n 0\t0.0\n\t1.0\n\t2.0\n\n 1\t1.0\n\t3.0\n\t4.0\n\n"
    (plot,) = read_raw(raw(real.encode()))
    assert_allclose(plot.data, ROWS, rtol=0, atol=0)
    both = HEADER.format(plot="p", flags="complex", points=1) + VECTORS + "Values:\n 0\t1.0,0.0\n\t1.0,-2\n\t3,4\n"
    (plot,) = read_raw(raw(both.encode()))
    assert_allclose(plot.data, [[1, 1 - 2j, 3 + 4j]], rtol=0, atol=0)


def test_several_plots(raw):
    plots = read_raw(raw(binary_plot(ROWS, plot="AC") + binary_plot(ROWS[:1], plot="OP")))
    assert [(p.plot, len(p)) for p in plots] == [("AC", 2), ("OP", 1)]


def test_a_killed_run_says_0_points(raw):
    content = binary_plot(ROWS, plot="AC") + binary_plot(ROWS, points=0) + b"half a row"
    first, last = read_raw(raw(content), partial=True)
    assert (len(first), first.partial) == (2, False)
    assert_allclose(last.data, ROWS, rtol=0, atol=0)
    assert last.partial
    with pytest.raises(RawFileError, match="says 0 points and holds 2"):
        read_raw(raw(binary_plot(ROWS, points=0)))


def test_fewer_rows_than_the_header_says(raw):
    path = raw(binary_plot(ROWS)[:-1])
    with pytest.raises(RawFileError, match="says 2 points and holds 1"):
        read_raw(path)
    (plot,) = read_raw(path, partial=True)
    assert (len(plot), plot.partial) == (1, True)


@pytest.mark.parametrize("content", [b"not a raw file", b"Title: x\nPlotname: y\nVariables:\nBinary:\n",
                                     binary_plot(ROWS).replace(b"Variables: 3", b"Variables: 4")])
def test_a_damaged_header_is_an_error(raw, content):
    with pytest.raises(RawFileError):
        read_raw(raw(content))


def test_no_file(tmp_path):
    with pytest.raises(RawFileError, match="wrote nothing"):
        read_raw(tmp_path / "none.raw")


def test_solver_noise_at_a_breakpoint_does_not_bend_the_step_before_it():
    time = np.concatenate([np.arange(0, 1, 0.01), 0.5 + 1e-6 * np.arange(1, 8)])
    time.sort()
    slope = np.sin(time)
    noisy = slope.copy()
    noisy[time == 0.5] += 2e-5  # the point at the breakpoint is now a maximum
    at = np.linspace(0.01, 0.98, 500)
    got = Waveforms(plot="p", title="t", names=("time", "v(o)"), data=np.stack([time, noisy], axis=1)).resample("v(o)", at)
    np.testing.assert_allclose(got, np.sin(at), rtol=0, atol=4e-5)  # V, twice the noise; it was 1e-3


def test_a_fast_edge_between_crowded_points_is_kept():
    time = np.concatenate([np.linspace(0, 0.5, 50), 0.5 + np.linspace(1e-9, 1e-7, 1000), np.linspace(0.51, 1, 50)])
    level = np.clip((time - 0.5) / 1e-7, 0, 1)
    got = Waveforms(plot="p", title="t", names=("time", "v(o)"), data=np.stack([time, level], axis=1))
    at = 0.5 + np.array([1e-8, 3e-8, 7e-8, 9.9e-8])
    np.testing.assert_allclose(got.resample("v(o)", at), (at - 0.5) / 1e-7, rtol=0, atol=1e-6)  # V, rounding of the times
