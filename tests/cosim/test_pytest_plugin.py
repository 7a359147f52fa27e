"""The pytest plugin as its users meet it: a pytest of its own in a folder with a deck, a test and a golden file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import scipy.interpolate

import cosim.golden.deck_runs
import cosim.golden.picture
import cosim.golden.regression

LOADED = (scipy.interpolate, cosim.golden.picture, cosim.golden.regression)  # the inner runs drop what they import, and numpy
# and its kin cannot be imported twice
pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "regression-tests.md"
TAU = 1e-4  # s, of 1 kΩ and 100 nF
DECK = """RC low-pass
v1 in 0 pwl(0 0 1n 1)
r1 in out 1k
c1 out 0 100n
.tran 1u 0.5m 0 2u
.end
"""
TEST = """
from pathlib import Path

def test_rc(waveform_regression):
    waveform_regression.check(Path(__file__).parent / "rc.cir", {arguments})
"""


class Project:
    """A designer's folder, in which pytest finds the plugin by the entry point that pyproject.toml declares."""

    def __init__(self, pytester):
        self.pytester, self.folder = pytester, pytester.path
        entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
        pytester.mkdir("installed-1.dist-info")
        self.write("installed-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: installed\nVersion: 1\n")
        self.write("installed-1.dist-info/entry_points.txt",
                   "[pytest11]\n" + "".join(f"{name} = {module}\n" for name, module in entry_points.items()))
        pytester.syspathinsert(self.folder)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *options, passed=0, failed=0, errors=0):
        """pytest's output, after it passed and failed as many."""
        result = self.pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options)
        result.assert_outcomes(passed=passed, failed=failed, errors=errors)
        return result.stdout.str()


@pytest.fixture
def project(pytester):
    return Project(pytester)


@pytest.fixture
def rc(project):
    """The RC deck, its test, and a golden file that a formula made, on a grid of its own."""
    project.write("rc.cir", DECK)
    project.write("test_rc.py", TEST.format(arguments=""))
    times = 5e-4 * np.linspace(0, 1, 138)**1.5
    rows = [f"{time:.12g},{value:.12g}" for time, value in zip(times, 1 - np.exp(-times / TAU), strict=True)]
    project.write("test_rc/test_rc.csv", "\n".join(["time,v(out)", *rows, ""]))
    return project


def picture_of(output):
    return Path(re.search(r"picture: (\S+)", output)[1])


def test_a_run_passes_on_the_grid_of_a_formula(rc):
    rc.run(passed=1)


def test_a_changed_resistor_fails_and_names_vector_time_and_size(rc):
    rc.write("rc.cir", DECK.replace("1k", "1.05k"))
    output = rc.run(failed=1)
    times = np.linspace(0, 5e-4, 100_001)
    difference = np.exp(-times / TAU) - np.exp(-times / (1.05 * TAU))  # V, of 1 V
    worst = np.argmin(difference)
    half = 0.005 * (1 - np.exp(-5))
    found = re.search(r"v\(out\): ([\d.]+) mV outside its band at time = ([\d.]+) µs, the worst place: golden ([\d.]+) mV, got "
                      r"([\d.]+) mV, difference (-[\d.]+) mV, band ±([\d.]+) mV .* outside for ([\d.]+) % of the time, "
                      r"first from ([\d.]+) µs to ([\d.]+) µs", output)
    excess, time, golden, got, off, band, share, first, last = map(float, found.groups())
    # mV: the solver and the interpolation between its points of 2 µs
    assert off == pytest.approx(1e3 * difference[worst], abs=0.02)
    assert excess == pytest.approx(1e3 * (-difference[worst] - half), abs=0.02)
    assert band == pytest.approx(1e3 * half, abs=1e-3)
    assert golden - got == pytest.approx(-off, abs=1e-2)
    # µs: a step of the golden file there
    outside = times[-difference > half]
    assert time == pytest.approx(1e6 * times[worst], abs=4)
    assert (first, last) == pytest.approx((1e6 * outside[0], 1e6 * outside[-1]), abs=6)
    assert share == pytest.approx(100 * len(outside) / len(times), abs=1.5)
    assert str(rc.folder / "test_rc" / "test_rc.csv") in output


def test_the_picture_shows_band_curve_and_places(rc):
    rc.write("rc.cir", DECK.replace("1k", "1.05k"))
    path = picture_of(rc.run(failed=1))
    assert path.name == "test_rc.obtained.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    pixels = matplotlib.image.imread(path)[..., :3]
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 1000
    for colour, least in (("#c92a2a", 20), ("#0b5fa5", 500), ("#bbd6ee", 5000)):  # ring, new run, band on white
        wanted = np.array(matplotlib.colors.to_rgb(colour))
        assert (np.abs(pixels - wanted).max(axis=2) < 0.04).sum() > least, colour
    red = (pixels[..., 0] - pixels[..., 2] > 0.05).mean()  # the shaded places: 12 to 362 µs, and nearly all of the closer look
    assert 0.2 < red < 0.8
    assert [file.name for file in (rc.folder / "test_rc").iterdir()] == ["test_rc.csv"]  # nothing of it beside the golden file


def test_first_run_writes_a_golden_file_that_holds_the_next(project):
    project.write("rc.cir", DECK)
    project.write("test_rc.py", TEST.format(arguments="('v(out)', 'i(v1)'), samples=101, start=1e-4"))
    assert "File not found in data directory, created" in project.run(failed=1)
    written = pd.read_csv(project.folder / "test_rc" / "test_rc.csv", comment="#")
    assert list(written) == ["time", "v(out)", "i(v1)"]
    np.testing.assert_allclose(written["time"], np.linspace(1e-4, 5e-4, 101), rtol=0, atol=1e-15)
    # V: the solver's error at steps of 2 µs is 1e-4 at most; A: 1 V over 1 kΩ
    np.testing.assert_allclose(written["v(out)"], 1 - np.exp(-written["time"] / TAU), rtol=0, atol=2e-4)
    np.testing.assert_allclose(written["i(v1)"], -1e-3 * np.exp(-written["time"] / TAU), rtol=0, atol=2e-7)
    project.run(passed=1)
    project.write("rc.cir", DECK.replace("1k", "1.05k"))
    project.run(failed=1)


def test_force_regen_writes_the_golden_file_anew(rc):
    golden = rc.folder / "test_rc" / "test_rc.csv"
    before = golden.read_text()
    rc.run("--force-regen", passed=1)
    assert golden.read_text() == before  # nothing to mend
    rc.write("rc.cir", DECK.replace("1k", "1.05k"))
    assert "--force-regen set, regenerating file" in rc.run("--force-regen", failed=1)
    written = pd.read_csv(golden, comment="#")
    np.testing.assert_allclose(written["v(out)"], 1 - np.exp(-written["time"] / (1.05 * TAU)), rtol=0, atol=2e-4)
    rc.run(passed=1)


def test_regen_all_writes_it_and_passes(rc):
    rc.write("rc.cir", DECK.replace("1k", "1.05k"))
    rc.run("--regen-all", passed=1)
    rc.run(passed=1)
    rc.write("rc.cir", DECK)
    rc.run(failed=1)


def test_force_regen_mends_a_damaged_golden_file(rc):
    rc.write("test_rc/test_rc.csv", "time,v(out)\n0,0\n<<<<<<< HEAD\n")
    assert "line 3 has 1 columns" in rc.run(failed=1)
    rc.run("--force-regen", failed=1)
    rc.run(passed=1)


def test_a_longer_run_warns_that_its_rest_is_not_compared(rc):
    rc.write("rc.cir", DECK.replace("0.5m", "0.7m"))
    output = rc.run(passed=1)
    assert "covers 0 s to 500 µs, the run 0 s to 700 µs, and the rest of it is not compared" in output
    assert "CosimWarning" in output
    rc.write("test_rc.py", TEST.format(arguments="stop=5e-4"))
    assert "not compared" not in rc.run(passed=1)


def test_decks_of_the_same_content_run_once(rc, monkeypatch):
    decks = []
    run = cosim.golden.deck_runs.run
    monkeypatch.setattr(cosim.golden.deck_runs, "run", lambda job: (decks.append(job.deck.name), run(job))[1])
    for name in ("a/rc.cir", "b/rc.cir"):
        rc.write(name, DECK)
    rc.write("other.cir", DECK.replace("100n", "101n"))
    rc.write("test_rc.py", "")
    rc.write("singular.cir", "x\nv1 a 0 1\nv2 a 0 2\n.tran 1u 1m\n.end\n")
    rc.write("test_once.py", """
import pytest
from circuits.errors import SimulationError

@pytest.mark.parametrize("deck", ["rc.cir", "a/rc.cir", "b/rc.cir", "other.cir", "rc.cir"])
def test_runs(simulate_deck, deck):
    run = simulate_deck(deck)
    assert run is simulate_deck(deck)
    with pytest.raises(ValueError, match="read-only"):
        run["v(out)"][0] = 1

@pytest.mark.parametrize("n", range(3))
def test_fails(simulate_deck, n):
    with pytest.raises(SimulationError, match="singular"):
        simulate_deck("singular.cir")
""")
    rc.run(passed=8)
    assert sorted(decks) == ["other.cir", "rc.cir", "singular.cir"]


def test_an_include_that_changed_is_another_deck(rc):
    rc.write("part.inc", "r1 in out 1k\n")
    rc.write("rc.cir", DECK.replace("r1 in out 1k", ".include part.inc"))
    rc.write("test_rc.py", """
from pathlib import Path

def test_rc(simulate_deck):
    first = simulate_deck("rc.cir")["v(out)"][-1]
    Path("part.inc").write_text("r1 in out 2k\\n")
    assert simulate_deck("rc.cir")["v(out)"][-1] < first - 0.05
""")
    rc.run(passed=1)


def test_a_missing_engine_fails_with_its_remedy(rc, monkeypatch):
    monkeypatch.setenv("COSIM_NGSPICE", "/nowhere/ngspice")
    output = rc.run(failed=1)
    assert re.search("engine_missing: COSIM_NGSPICE=/nowhere/ngspice is not an executable file; run .*, or set COSIM_NGSPICE "
                     "to the path of ngspice 42 or newer", output)
    assert "ngspice.py" not in output  # no frame of the engine's


def test_a_deck_that_is_not_there_is_named_with_its_folder(rc):
    rc.write("test_rc.py", "def test_rc(simulate_deck):\n    simulate_deck('rd.cir')\n")
    assert re.search(r"rd\.cir: no such deck; a relative path is looked for in the working folder", rc.run(failed=1))


def test_a_deck_that_would_run_a_program_is_refused(rc):
    rc.write("rc.cir", DECK.replace(".end", ".control\nshell touch owned\n.endc\n.end"))
    assert "rejected_input" in rc.run(failed=1)
    assert not list(rc.folder.rglob("owned"))


def test_without_pytest_regressions_only_its_fixture_fails(rc, monkeypatch):
    rc.write("test_other.py", "def test_other(simulate_deck):\n    assert len(simulate_deck('rc.cir'))\n")
    assert "needs the plugin pytest-regressions, which is installed and not loaded; load it" in rc.run(
        "-p", "no:regressions", passed=1, errors=1)
    assert "needs the plugin pytest-datadir 1.7 or newer" in rc.run("-p", "no:pytest-datadir", passed=1, errors=1)
    monkeypatch.setattr("cosim.pytest_plugin.find_spec", lambda name: None if name == "pytest_regressions" else name)
    output = rc.run(passed=1, errors=1)
    assert "needs the package pytest-regressions, which is not installed; pip install 'cosim[pytest]'" in output
    assert "Traceback" not in output


def test_loading_the_plugin_imports_nothing_heavy():
    program = "import sys, cosim.pytest_plugin; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for heavy in ("torch", "numpy", "scipy", "pandas", "matplotlib", "PySpice", "circuits", "pytest_regressions"):
        assert f"'{heavy}'" not in seen


def test_a_committed_deck_with_a_control_block_is_held(project):
    for source in (ROOT / "netlists" / "hp_memristor").rglob("*"):
        if source.suffix in (".cir", ".inc", ".lib"):
            project.write(source.relative_to(ROOT / "netlists" / "hp_memristor").as_posix(), source.read_text())
    deck = project.folder / "sine.cir"
    text = deck.read_text()
    assert "\n.control\nrun\nwrite sine.raw\n" in text
    # initial conditioning alone; the whole run of the flat deck takes a minute
    deck.write_text(re.sub(r"(?m)^\.tran .*", ".tran 0.00025 0.004 0 0.00025", text))
    level = float(re.search(r"v_ic0 ic0 0 pwl\(0 0 0\.001 0 0\.0011 (\S+)\)", text)[1])  # V
    project.write("test_hp/source.csv", f"time,v(ic0)\n0,0\n0.001,0\n0.0011,{level}\n0.004,{level}\n")
    project.write("test_hp/state.csv", f"time,v(x0_p)\n0.003,{level}\n0.004,{level}\n")
    project.write("test_hp.py", """
def test_hp(waveform_regression):
    waveform_regression.check("sine.cir", "v(ic0)", basename="source", stop=0.004)
    waveform_regression.check("sine.cir", "V(X0_P)", basename="state", start=0.003)
""")
    project.run(passed=1)


def test_the_guides_example_works_as_written(project):
    blocks = re.findall(r"(?ms)^```(spice|python)\n(.*?)^```", GUIDE.read_text())
    deck, test, call, choice = (text for _, text in blocks)
    project.write("low_pass.cir", deck)
    project.write("test_low_pass.py", test)
    project.run(passed=1, failed=1)
    assert (project.folder / "test_low_pass" / "test_step_response.csv").is_file()
    project.run(passed=2)
    project.write("low_pass.cir", deck.replace("1k ", "1.05k "))
    output = project.run(passed=1, failed=1)
    for line in re.search(r"It says:\n```\n(.*?)```", GUIDE.read_text(), re.S)[1].splitlines():
        assert line.removesuffix(" ...") in output
    ac = deck.replace("pwl(0 0 1n 1)", "dc 0 ac 1").replace(".tran 1u 1m 0 2u", ".ac dec 20 10 100k\n.dc v_in 0 1 0.1")
    project.write("low_pass.cir", ac)
    check = f"def test_ac(waveform_regression):\n    {call}"
    project.write("test_low_pass.py", f"DECK = 'low_pass.cir'\n{check}")
    assert "the run gave 2 plots (AC Analysis, DC transfer characteristic); choose one" in project.run(failed=1)
    project.write("test_low_pass.py", f"DECK = 'low_pass.cir'\n{choice}\n{check.replace('(DECK,', '(plot,')}")
    project.run(failed=1)
    written = pd.read_csv(project.folder / "test_low_pass" / "test_ac.csv", comment="#")
    gain = 1 / (1 + 2j * np.pi * written["frequency"].to_numpy() * TAU)
    # dB and degrees: the interpolation between 20 points a decade
    np.testing.assert_allclose(written["db(v(out))"], 20 * np.log10(np.abs(gain)), rtol=0, atol=0.01)
    np.testing.assert_allclose(written["phase(v(out))"], np.degrees(np.angle(gain)), rtol=0, atol=0.1)
    project.run(passed=1)
    golden = re.search(r"```\n(time,v\(out\)\n.*?)```", GUIDE.read_text(), re.S)[1]
    project.write("low_pass.cir", deck)
    project.write("test_low_pass/test_step_response.csv", golden)
    project.write("test_low_pass.py", test.replace(', "v(in)"', "").replace("(DECK,", "(DECK, stop=2e-4,"))
    project.run(passed=2)
