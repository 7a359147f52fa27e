"""The pytest plugin: a deck's waveforms held within a band of a golden file, and what it says when they are not."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.interpolate  # noqa: F401 - stays in memory, or every run inside would import it anew

import cosim.golden.deck_runs
import cosim.golden.picture
import cosim.golden.regression  # noqa: F401
from cosim import Options
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

pytest_plugins = ["pytester"]

TAU = 1e-3  # s, of the RC below
DECK = """RC step
v1 in 0 pwl(0 0 1e-6 1)
r1 in out {resistance}
c1 out 0 1u
.save v(in) v(out)
.tran 5u 5m 0 5u
.end
"""
TEST = """
from pathlib import Path

def test_rc(waveform_regression):
    waveform_regression.check(Path(__file__).parent / "rc.cir", vectors=("v(out)",), {arguments})
"""


def golden(times):
    """The step response by hand, not by the code that is tested; the input rises within a microsecond."""
    return pd.DataFrame({"time": times, "v(out)": 1 - np.exp(-np.maximum(times - 0.5e-6, 0) / TAU)})


@pytest.fixture
def project(pytester):
    """A user's folder: a deck, a test, a golden file; call it to change any of them and run the test."""
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")

    def run(*options, resistance=1000, arguments="band=0.005", frame=None, deck=DECK):
        (pytester.path / "rc.cir").write_text(deck.format(resistance=resistance))
        (pytester.path / "test_rc.py").write_text(TEST.format(arguments=arguments))
        folder = pytester.path / "test_rc"
        folder.mkdir(exist_ok=True)
        if frame is not None:
            frame.to_csv(folder / "test_rc.csv", index=False, na_rep="nan")
        return pytester.runpytest_inprocess("-q", *options)

    run.path = pytester.path
    return run


def said(result):
    return " ".join("\n".join(result.outlines).split())


def test_the_step_response_is_inside_a_band_of_half_a_percent(project):
    project(frame=golden(np.linspace(0, 5e-3, 501))).assert_outcomes(passed=1)


def test_golden_and_run_on_other_grids_are_compared(project):
    uneven = np.concatenate([[0.0], np.geomspace(2e-6, 5e-3, 77)])
    project(frame=golden(uneven)).assert_outcomes(passed=1)


def test_a_resistor_changed_by_5_percent_fails_with_figures_and_a_picture(project):
    result = project(resistance=1050, frame=golden(np.linspace(0, 5e-3, 501)))
    result.assert_outcomes(failed=1)
    text = said(result)
    # 5 % of the exponent is most at t = tau: 0.05 / e = 18 mV, of which the band of half a percent allows 5 mV
    assert "time = 1.0" in text
    assert "difference -17.9" in text
    assert "mV outside its band at time = " in text
    assert "band ±4.96" in text
    picture = Path(text.split("picture: ")[1].split(".png")[0] + ".png")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_a_golden_file_one_is_written_and_the_test_fails_once(project):
    first = project()
    first.assert_outcomes(failed=1)
    frame = pd.read_csv(project.path / "test_rc" / "test_rc.csv", comment="#")
    assert list(frame.columns) == ["time", "v(out)"]
    np.testing.assert_allclose(frame["v(out)"], golden(frame["time"].to_numpy())["v(out)"], atol=2e-4)  # V, of 1 V
    project().assert_outcomes(passed=1)


def test_force_regen_writes_it_anew(project):
    project(resistance=2000, frame=golden(np.linspace(0, 5e-3, 501))).assert_outcomes(failed=1)
    project("--force-regen", resistance=2000).assert_outcomes(failed=1)
    project(resistance=2000).assert_outcomes(passed=1)


def spoiled(change):
    frame = golden(np.linspace(0, 5e-3, 51))
    return change(frame)


def with_nan(frame):
    frame.loc[20, "v(out)"] = np.nan
    return frame


@pytest.mark.parametrize(("frame", "arguments", "says"), [
    (spoiled(with_nan), "band=0.005", ["test_rc.csv", "v(out)", "nan"]),
    (spoiled(lambda frame: frame.iloc[::-1]), "band=0.005", ["test_rc.csv", "time", "ascend"]),
    (spoiled(lambda frame: frame.iloc[:0]), "band=0.005", ["test_rc.csv"]),
    (spoiled(lambda frame: frame.rename(columns={"v(out)": "v(o)"})), "band=0.005", ["no column v(out)", "--force-regen"]),
    (spoiled(lambda frame: frame.assign(time=2 * frame["time"])), "band=0.005",
     ["the run ends at 5 ms", "nothing is extrapolated"]),
    (spoiled(lambda frame: frame.assign(**{"v(out)": 0.0})), "band=0.005", ["is zero throughout", "band_abs"]),
    (None, "band=0.0", ["band = 0.0; give more than 0 and at most 1"]),
    (None, "band=2.0", ["band = 2.0; give more than 0 and at most 1"]),
    (None, "band=0.01, start=4e-3, stop=1e-3", ["is not before stop"]),
    (None, "band={'v(nowhere)': 0.01}", ["which is not compared"]),
], ids=["nan", "descending", "empty", "missing column", "longer than the run", "zero", "band of zero", "band of 200 %",
        "window", "unknown vector"])
def test_what_cannot_be_compared_is_told(project, frame, arguments, says):
    result = project(frame=golden(np.linspace(0, 5e-3, 51)) if frame is None else frame, arguments=arguments)
    assert result.ret != 0
    text = said(result)
    assert [part for part in says if part not in text] == []


def test_an_absolute_band_holds_a_vector_that_rests(project):
    deck = DECK.replace("pwl(0 0 1e-6 1)", "dc 0")
    rest = golden(np.linspace(0, 5e-3, 51)).assign(**{"v(out)": 0.0})
    project(frame=rest, deck=deck, arguments="band_abs=1e-6").assert_outcomes(passed=1)


def test_a_deck_that_is_refused_is_told(project):
    result = project(frame=golden(np.linspace(0, 5e-3, 51)), deck="bad\n.control\nshell touch owned\n.endc\n.end\n")
    result.assert_outcomes(failed=1)
    assert not (project.path / "owned").exists()


def test_one_of_our_own_decks(pytester):
    """The sine deck of the HP twin, whose measures say what to expect at its end."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    replace(experiment, cases=experiment.cases[:1]).compile(pytester.path / "hp", Options(fidelity="macro"))
    pytester.makepyfile("""
        from pathlib import Path

        def test_sine(simulate_deck, waveform_regression):
            waves = simulate_deck(Path(__file__).parent / "hp" / "sine.cir")
            assert simulate_deck(Path(__file__).parent / "hp" / "sine.cir") is waves  # once a session
            waveform_regression.check(waves, vectors=("v(x0_p)",), band=0.01)
    """)
    pytester.runpytest_inprocess("-q").assert_outcomes(failed=1)  # writes the golden file
    (file,) = pytester.path.rglob("*.csv")
    frame = pd.read_csv(file, comment="#")
    expected = {line.split()[2]: float(line.split("expect")[1].split()[0])
                for line in (pytester.path / "hp" / "sine.cir").read_text().splitlines() if line.startswith(".meas")}
    assert frame["v(x0_p)"].iloc[-1] == pytest.approx(expected["x0_end"], rel=1e-3)


def test_loading_the_plugin_costs_nothing():
    program = ("import sys, cosim.pytest_plugin\n"
               "print(sorted({'torch', 'matplotlib', 'pandas', 'numpy', 'PySpice'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_pytest_regressions_only_the_fixture_complains(pytester):
    pytester.makepyfile("""
        def test_plain():
            pass

        def test_asks(waveform_regression):
            pass
    """)
    result = pytester.runpytest_subprocess("-q", "-p", "no:regressions")
    result.assert_outcomes(passed=1, errors=1)
    assert "the fixture waveform_regression needs the plugin pytest-regressions" in said(result)


def test_the_documented_example_works_as_written(pytester):
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "regression-tests.md").read_text()
    (pytester.path / "rc.cir").write_text(text.split("```spice\n")[1].split("```")[0])
    (pytester.path / "test_rc.py").write_text(text.split("```python\n")[1].split("```")[0])
    pytester.runpytest_inprocess("-q").assert_outcomes(failed=1)
    assert (pytester.path / "test_rc" / "test_rc.csv").is_file()
    pytester.runpytest_inprocess("-q").assert_outcomes(passed=1)
