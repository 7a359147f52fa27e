"""The HP twin driven by a measured record: the documented example as it stands, and every fidelity on the same signal."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim import Case, Options, Sampled, compile_network, simulate
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "signals.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Folder and names of the documented example, run from the start in an empty folder."""
    folder, names = tmp_path_factory.mktemp("example"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(BLOCKS[0], str(PAGE), "exec"), names)
    return folder, names


def test_the_documented_example_tells_the_three_errors_apart(example):
    folder, names = example
    (row,) = names["comparison"].to_frame().to_dict("records")
    # The network was trained on the sine alone; model and circuit errors are those of the other stimuli: below 1 % and 0.2 %.
    assert 0 < row["mre"] < 0.002
    assert 0 < row["model_mre"] < 0.01
    assert abs(row["model_mre"] - row["mre"]) < row["total_mre"] < row["model_mre"] + row["mre"] + 1e-4
    assert (folder / "runs/measured/measured.png").stat().st_size > 10_000
    assert names["compiled"].cases["measured"] == names["case"]


def test_torch_and_the_deck_see_what_stands_in_the_csv(example):
    folder, names = example
    frame = pd.read_csv(folder / "runs/measured/drive.csv")
    seconds, amps = frame["time [ms]"].to_numpy() / 1e3, frame["current [uA]"].to_numpy() / 1e6
    np.testing.assert_allclose(names["drive"](seconds), amps / 1e-3, rtol=1e-12)  # a model unit is 1 mA
    volts = names["compiled"].manifest.scales.inputs[0]
    source = (folder / "runs/measured/decks/signals/measured_u0.inc").read_text()
    points = np.array([line.split()[1:] for line in source.splitlines() if re.match(r"\+ \d", line)], dtype=float)
    np.testing.assert_allclose(points[1:], np.stack([seconds + 5e-3, amps / 1e-3 * volts], 1), rtol=1e-12)


def test_what_the_page_says_of_functions(capsys):
    exec(compile(BLOCKS[1], str(PAGE), "exec"), {})
    said, error = capsys.readouterr().out.splitlines()
    assert "samples from 0 s to 0.5 s" in said
    assert 0 < float(error) <= 1e-3


@pytest.mark.timeout(900)
def test_flat_macro_and_behavioural_agree_as_on_the_sine(tmp_path):
    """A twentieth of a second of a noisy record, in every cell and wire, with reduced arrays, and in the torch model."""
    times = np.arange(101) / 2000.0
    values = 0.0485 + 0.08 * np.sin(2 * np.pi * times / 0.1) + np.random.default_rng(0).normal(0, 0.002, 101)
    (tmp_path / "m.csv").write_text(pd.DataFrame({"t": times, "u": values}).to_csv(index=False))
    given = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    case = Case(name="measured", stimuli=(Sampled.from_file(tmp_path / "m.csv", "u", time="t"),),
                initial=given.cases[0].initial, duration=0.05, samples=101)
    states = {}
    for fidelity in ("flat", "macro"):
        compiled = compile_network(replace(given, cases=(case,)), tmp_path / fidelity, Options(fidelity=fidelity))
        states[fidelity] = simulate(compiled, timeout=800).states("measured")
    states["behavioural"] = simulate(compiled, fidelity="behavioural", out=tmp_path / "behavioural").states("measured")
    full_scale = np.abs(states["flat"]).max()
    # Parts of full scale, set before the first run: 2e-5 is what the sine's test allows macro decks, 1e-4 what the behavioural
    # model is off on the rectangle, its worst. Measured on half a second of such a record: 3.4e-6 and 2.0e-5.
    np.testing.assert_allclose(states["macro"], states["flat"], rtol=0, atol=2e-5 * full_scale)
    np.testing.assert_allclose(states["behavioural"], states["flat"], rtol=0, atol=1e-4 * full_scale)
    assert np.ptp(states["flat"]) > 0.05
