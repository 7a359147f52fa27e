"""Golden waveforms: what is held, what is refused and in which words; curves from formulas, no simulation."""

import re
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from pytest_datadir.plugin import LazyDataDir

from circuits.engine.waveforms import Waveforms
from circuits.errors import MissingVector
from cosim.errors import GoldenError, GoldenMismatch
from cosim.golden.golden_file import read_golden, write_golden
from cosim.golden.regression import WaveformRegression

ROOT = Path(__file__).parents[2]
TIMES = np.linspace(0, 1e-3, 101)  # s


def curves(scale=TIMES, names=("time", "v(out)"), **how):
    """A run, one function of the scale per vector; v(out) rises from 0 to 1 V unless something else is said."""
    columns = how.pop("columns", [scale / scale.max() if scale.any() else scale])
    return Waveforms(**{"plot": "Transient Analysis", "title": "a ramp", "names": names,
                        "data": np.column_stack([scale, *columns]), **how})


RAMP = "time,v(out)\n0,0\n0.0005,0.5\n0.001,1\n"


@pytest.fixture
def hold(request, tmp_path):
    """Check a run against the text of a golden file; None: there is none yet."""
    numbers = count(1)
    folder, work = tmp_path / "golden", tmp_path / "work"
    asked = SimpleNamespace(node=request.node, config=SimpleNamespace(getoption=lambda name: False))
    regression = WaveformRegression(simulate_deck=pytest.fail, datadir=LazyDataDir(folder, work), original_datadir=folder,
                                    request=asked)

    def check(run, golden, *vectors, **how):
        name = f"case_{next(numbers)}"  # a golden file is copied once a test
        if golden is not None:
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.csv").write_bytes(golden if isinstance(golden, bytes) else golden.encode())
        regression.check(run, *([vectors] if vectors else []), basename=name, **how)

    return check


@pytest.mark.parametrize(("golden", "said"), [
    ("", "is empty or cut: 0 lines"),
    ("# golden waveforms\n\n", "is empty or cut: 0 lines"),
    ("time,v(out)\n", "is empty or cut: 1 lines"),
    ("time,v(out)\n0,0\n", "is empty or cut: 2 lines"),
    (b"time,v(out)\n0,0\n1,\xff\xfe\n", "is no text (byte 18)"),
    ("# a comment\ntime,v(out)\n0,0\n0.001,nan\n", "line 4: v(out) is nan"),
    ("time,v(out)\n0,-inf\n0.001,1\n", "line 2: v(out) is -inf"),
    ("time,v(out)\nnan,0\n0.001,1\n", "line 2: time is nan"),
    ("time,v(out)\n0,0\n0.001,1\n0.001,1\n", "line 4: time = 0.001 follows 0.001, but the first column must ascend"),
    ("time,v(out)\n0,0\n\n0.001,1\n0.0005,1\n", "line 5: time = 0.0005 follows 0.001"),
    ("time,v(out)\n0,0\n0.001,abc\n", "line 3: v(out) is 'abc', not a number"),
    ("time,v(out)\n0,0\n0.001,\n", "line 3: v(out) is '', not a number"),
    ("time,v(out)\n0,0\n0.0005,0.5\n0.0", "line 4 has 1 columns, its header 2"),
    ("time,v(out),V( OUT )\n0,0,0\n0.001,1,1\n", "line 1 names column v(out) twice"),
    ("time;v(out)\n0;0\n0.001;1\n", "line 1 names one column, 'time;v(out)'"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "line 1 names one column, 'version https://git-lfs"),
    ("time,v(in)\n0,0\n0.001,1\n", "has no column v(out), only time, v(in); correct vectors"),
    ("frequency,v(out)\n0,0\n0.001,1\n", "is 'frequency', the run's scale is 'time'"),
    ("time,v(out)\n0,0\n0.002,1\n", "the run ends at 1 ms, golden file {path} ends at 2 ms, and nothing is extrapolated"),
    ("time,v(out)\n-0.001,0\n0.001,1\n", "the run begins at 0 s, golden file {path} begins at -1 ms"),
    ("time,v(out)\n0,0\n0.001,0\n", "v(out) of golden file {path} is zero throughout, .*band_abs={{'v(out)': 1e-6}}"),
])
def test_a_golden_file_that_holds_nothing_is_refused(hold, tmp_path, golden, said):
    with pytest.raises(GoldenMismatch) as refused:
        hold(curves(), golden)
    message = str(refused.value)
    path = tmp_path / "golden" / "case_1.csv"
    assert re.search(re.escape(said.format(path=path)).replace(r"\.\*", ".*"), message), message
    assert str(path) in message
    assert re.search("--force-regen|band_abs", message)
    assert "\n" not in message


ZERO = "time,v(out)\n0,0\n0.001,0\n"


@pytest.mark.parametrize("how", [{"band_abs": 1e-6}, {"floor": 1e-6}, {"band_abs": {"out": 1e-6}}, {"floor": {"V(out)": 1e-6}}])
def test_a_vector_at_zero_is_held_by_an_absolute_band(hold, how):
    hold(curves(columns=[np.full(101, 9e-7)]), ZERO, **how)
    with pytest.raises(GoldenMismatch, match=re.escape("v(out): 100 nV outside its band")):
        hold(curves(columns=[np.full(101, 1.1e-6)]), ZERO, **how)


BANDS = "more than 0 and at most 1: a part of full scale"


@pytest.mark.parametrize(("how", "said"), [
    *[({"band": band}, f"band = {band!r}; give {BANDS}") for band in (0, -0.1, 1.01, np.nan, np.inf, True, "0.1", None)],
    ({"band": {"v(out)": 0.0}}, f"band['v(out)'] = 0.0; give {BANDS}"),
    ({"band": {"v(x)": 0.1}}, "band names 'v(x)', which is not compared; compared are v(out)"),
    ({"band": {"v(out)": 0.1, "OUT": 0.1}}, "band names 'OUT', which is named twice"),
    ({"band": {}}, "band has no value for v(out), only for none"),
    ({"band": {"v(out)": 0.1}, "band_abs": {"v(out)": 0.1}}, "v(out) has a band and a band_abs"),
    ({"band_abs": 0}, "band_abs = 0; give a positive, finite number"),
    ({"band_abs": np.inf}, "band_abs = inf; give a positive, finite number"),
    ({"band_abs": {"v(y)": 1}}, "band_abs names 'v(y)', which is not compared"),
    ({"floor": -1}, "floor = -1; give a positive, finite number"),
    ({"samples": 1}, "samples = 1; give a whole number from 2"),
    ({"samples": 10**9}, "samples = 1000000000; give a whole number from 2"),
    ({"samples": 50.5}, "samples = 50.5; give a whole number"),
    ({"samples": True}, "samples = True; give a whole number"),
    ({"start": 1e-3, "stop": 1e-4}, "start = 0.001 is not before stop = 0.0001"),
    ({"start": np.nan}, "start = nan; give a finite number"),
    ({"stop": "1m"}, "stop = '1m'; give a finite number"),
    ({"stop": 2e-3}, "stop = 2 ms lies outside the run, which covers 0 s to 1 ms"),
    ({"start": -1e-3}, "start = -1 ms lies outside the run"),
    ({"vectors": ()}, "vectors is empty"),
    ({"vectors": ("v(out)", "out")}, "vectors names v(out) twice"),
    ({"vectors": ("time",)}, "vectors names time, the scale"),
    ({"vectors": ("db(v(out))",), "band_abs": 1}, "db(v(out)) needs a complex vector, from an .ac, and v(out) of plot "
                                                  "'Transient Analysis' is real"),
])
@pytest.mark.parametrize("golden", [None, RAMP], ids=["first", "later"])
def test_an_argument_that_cannot_be_meant_is_refused_and_nothing_written(hold, tmp_path, how, said, golden):
    with pytest.raises(GoldenError, match=re.escape(said)):
        hold(curves(), golden, **how)
    assert (tmp_path / "golden").exists() == (golden is not None)
    assert not (tmp_path / "work").exists()


NOT_A_NUMBER, INFINITE = np.ones(101), np.ones(101)
NOT_A_NUMBER[50], INFINITE[50] = np.nan, np.inf
AC = curves(np.geomspace(1, 1e3, 61), ("frequency", "v(out)", "v(0db)"), plot="AC Analysis",
            columns=[1 / (1 + 1j * np.geomspace(1, 1e3, 61) / 30), np.zeros(61)])


@pytest.mark.parametrize(("run", "vectors", "said"), [
    (curves(partial=True), ("v(out)",), "did not reach its end, and such a curve is never compared"),
    (curves(TIMES[:1], columns=[np.zeros(1)]), ("v(out)",), "has 1 point"),
    (curves(TIMES[::-1]), ("v(out)",), "has a time that runs backwards"),
    (curves(columns=[NOT_A_NUMBER]), ("v(out)",), "v(out) of the run is nan at time = 0.0005"),
    (curves(columns=[-INFINITE]), ("v(out)",), "v(out) of the run is -inf at time = 0.0005"),
    (AC, ("v(out)",), "v(out) is complex, from an .ac; ask for 'db(v(out))' [dB] or 'phase(v(out))' [degrees]"),
    (AC, ("db(v(out))",), "a band relative to full scale means nothing for db(v(out))"),
    (AC, ("phase(out)",), "a band relative to full scale means nothing for phase(v(out)), whose zero is a convention; give it "
                          "a band in deg, e.g. band_abs={'phase(v(out))': 0.1}"),
    (AC, ("db(v(0db))",), "db(v(0db)) of the run is -inf at frequency = 1"),
    (3.0, ("v(out)",), "check() got a float; give the path of a deck, or Waveforms"),
])
def test_a_run_that_cannot_be_held_is_refused(hold, tmp_path, run, vectors, said):
    with pytest.raises(GoldenError, match=re.escape(said)):
        hold(run, None, *vectors)
    assert not (tmp_path / "golden").exists()


def test_a_vector_that_the_run_has_not_is_named_with_its_neighbours(hold, tmp_path):
    said = "'v(oút)' is not in plot 'Transient Analysis' (2 vectors; closest: v(out)"
    with pytest.raises(MissingVector, match=re.escape(said)):
        hold(curves(), None, "v(oút)")
    assert not (tmp_path / "golden").exists()


def off(volts):
    return curves(columns=[np.full(101, 2.0 + volts)])


LEVEL = "time,v(out)\n0,2\n0.001,2\n"


@pytest.mark.parametrize(("how", "half"), [
    ({}, 0.01),  # V, of a full scale of 2 V
    ({"band": 0.02}, 0.04),
    ({"band": {"out": 0.02}}, 0.04),
    ({"band": 1}, 2.0),
    ({"floor": 0.03}, 0.03),
    ({"floor": 0.001}, 0.01),
    ({"band_abs": 0.5}, 0.5),
    ({"band_abs": {"v(out)": 0.5}}, 0.5),
])
@pytest.mark.parametrize("sign", [1, -1])
def test_half_width(hold, how, half, sign):
    hold(off(sign * 0.999 * half), LEVEL, **how)
    with pytest.raises(GoldenMismatch, match=re.escape("v(out): ")):
        hold(off(sign * 1.001 * half), LEVEL, **how)


def test_full_scale_is_the_largest_magnitude(hold):
    golden = "time,v(out)\n0,-4\n0.001,2\n"
    run = curves(columns=[-4 + 6e3 * TIMES + 0.019])
    hold(run, golden)  # 0.5 % of 4 V
    with pytest.raises(GoldenMismatch, match=re.escape("band ±20 mV (0.5 % of the full scale of 4 V)")):
        hold(curves(columns=[-4 + 6e3 * TIMES + 0.021]), golden)


def test_every_vector_has_its_own_band_and_sentence(hold):
    names = ("time", "v(out)", "i(v1)", "v(ref)", "i(@m1[id])", "v(@m1[gm])")
    run = curves(names=names, columns=[np.full(101, value) for value in (1.004, 2.2e-3, 1.0, 1e-6, 5e-3)])
    golden = ",".join(names) + "\n0,1,2e-3,1,1e-6,4e-3\n0.001,1,2e-3,1,1e-6,4e-3\n"
    with pytest.raises(GoldenMismatch) as failed:
        hold(run, golden, "v(out)", "v1#branch", "ref", "@m1[id]", "v(@m1[gm])",
             band={"out": 0.005, "i(v1)": 0.05, "v(@m1[gm])": 0.1}, band_abs={"ref": 1e-6, "@m1[id]": 1e-9})
    lines = str(failed.value).splitlines()
    assert lines[0] == "a ramp: 2 of 5 vectors outside the band around the golden curve"
    assert lines[1] == ("  v(@m1[gm]): 0.0006 outside its band at time = 0 s, the worst place: golden 0.004, got 0.005, "
                        "difference +0.001, band ±0.0004 (10 % of the full scale of 0.004). It is outside for 100 % of the "
                        "time, first from 0 s to 1 ms")
    assert lines[2].startswith("  i(v1): 100 µA outside its band at time = 0 s, the worst place: golden 2 mA, got 2.2 mA, "
                               "difference +200 µA, band ±100 µA (5 % of the full scale of 2 mA)")
    assert lines[3] == "  v(out): inside its band, of which it uses 80 %"
    assert {line.split(":")[0].strip() for line in lines[4:6]} == {"v(ref)", "i(@m1[id])"}


def test_share_of_the_time_counts_uneven_golden_rows_by_what_they_stand_for(hold):
    golden = "time,v(out)\n0,1\n1e-4,1\n2e-4,1\n1e-3,1\n"
    with pytest.raises(GoldenMismatch, match=re.escape("outside for 40 % of the time, first from 1 ms to 1 ms")):
        hold(curves(columns=[np.where(TIMES > 9.5e-4, 1.1, 1.0)]), golden)


def test_only_the_window_is_compared(hold):
    late = curves(columns=[np.where(TIMES > 6.5e-4, 1.0, 0.0) + TIMES / TIMES[-1]])
    with pytest.raises(GoldenMismatch):
        hold(late, RAMP)
    hold(late, RAMP, stop=6e-4)
    with pytest.raises(GoldenMismatch):
        hold(late, RAMP, start=4e-4)
    with pytest.raises(GoldenMismatch, match="covers 0 s to 500 µs, the test asks for 0 s to 600 µs; narrow start and stop"):
        hold(curves(), "time,v(out)\n0,0\n0.0005,0.5\n", stop=6e-4)
    with pytest.raises(GoldenMismatch, match=re.escape("has 1 row(s) at 400 µs to 600 µs, 2 are needed")):
        hold(curves(), RAMP, start=4e-4, stop=6e-4)


def test_a_sweep_is_held_in_its_own_unit(hold):
    volts = np.linspace(-2, 2, 41)
    sweep = curves(volts, ("v-sweep", "i(v1)"), plot="DC transfer characteristic", columns=[volts / 1e3])
    hold(sweep, "v-sweep,i(v1)\n-2,-2e-3\n2,2e-3\n", "i(v1)")
    with pytest.raises(GoldenMismatch, match=re.escape("i(v1): 190 µA outside its band at v-sweep = 1.5 V, the worst place")):
        hold(sweep, "v-sweep,i(v1)\n-2,-2e-3\n0,0\n1.5,1.3e-3\n2,2e-3\n", "i(v1)")


@pytest.mark.parametrize("turns", [-2, 0, 1])
def test_a_phase_is_compared_without_its_whole_turns(hold, turns):
    frequencies = AC.scale[::3]
    phase = -np.degrees(np.arctan(frequencies / 30)) + 360 * turns
    golden = "frequency,phase(v(out))\n" + "".join(f"{f:.12g},{p:.9g}\n" for f, p in zip(frequencies, phase, strict=True))
    hold(AC, golden, "phase(out)", band_abs={"phase(out)": 0.1})
    with pytest.raises(GoldenMismatch, match=r"phase\(v\(out\)\): 2 ° outside .* difference -5 °, band ±3 ° "):
        turned = AC["v(out)"] * np.exp(-5j * np.pi / 180)
        hold(curves(AC.scale, AC.names[:2], columns=[turned]), golden, "phase(out)", band_abs=3)


def test_a_golden_file_reads_back_in_pandas_and_here(tmp_path):
    names = ("time", "v(a,b)", "v(q1#base)")
    run = curves(0.1 + TIMES / 3, names, columns=[np.sin(1e4 * TIMES), 1e-15 * np.cos(1e4 * TIMES)])
    write_golden(tmp_path / "golden.csv", run, "odd\nnames")
    read = read_golden(tmp_path / "golden.csv", tmp_path / "golden.csv")
    assert read.names == names
    np.testing.assert_array_equal(read.time, run.time)
    np.testing.assert_allclose(read.data, run.data, rtol=1e-9, atol=0)
    frame = pd.read_csv(tmp_path / "golden.csv", comment="#")
    assert tuple(frame) == names
    np.testing.assert_allclose(frame.to_numpy(), run.data, rtol=1e-9, atol=0)


def test_a_file_of_a_spreadsheet_is_read(hold):
    hold(curves(), "\ufeffTime, V(out)\r\n0, 0\r\n0.001, 1\r\n")


def test_six_vectors_at_most_are_drawn(hold, tmp_path):
    names = ("time", *(f"v({k})" for k in range(8)))
    golden = ",".join(names) + "\n" + "0" + 8 * ",1" + "\n0.001" + 8 * ",1" + "\n"
    with pytest.raises(GoldenMismatch) as failed:
        hold(curves(names=names, columns=[np.full(101, 1.1 + k) for k in range(8)]), golden, *names[1:])
    assert len(re.findall(r"(?m)^  v\(\d\): ", str(failed.value))) == 8
    height, width, _ = matplotlib.image.imread(tmp_path / "work" / "case_1.obtained.png").shape
    assert 1.5 * width < height < 4 * width


def test_drawing_leaves_matplotlib_as_it_was(tmp_path):
    program = f"""
import sys
from pathlib import Path
import matplotlib
import numpy as np
matplotlib.rcParams["axes.facecolor"] = "black"
def settings():
    backend = dict.__getitem__(matplotlib.rcParams, "backend")  # asked for as usual, it would be chosen now
    return backend, {{name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}}
before = settings()
from cosim.golden.deviation import Deviation
from cosim.golden.picture import draw_picture
x = np.linspace(0, 1, 101)
draw_picture(Path({str(tmp_path / 'x.png')!r}), [Deviation(name="v(out)", scale_name="time", scale=x, golden=x, run=x + 1,
             half_width=0.1, origin="absolute")], "title")
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    corner = matplotlib.image.imread(tmp_path / "x.png")[..., :3]
    assert corner.mean() > 0.6  # the caller's black axes are not taken over
