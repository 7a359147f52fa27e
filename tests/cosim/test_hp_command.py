"""`cosim hp-memristor` from checkpoint to report, arrays reduced so that it takes seconds."""

import json
import re

import pandas as pd
import pytest

from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.compiled import load
from cosim.store.files import write_frame
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.results import HPResults
from cosim.studies.hp_memristor.study import WHOLE_NAME, rows_off
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES

WORDS = ("hp-memristor", "--fidelity", "macro", "--no-second-opinion", "--out", "run")


@pytest.fixture(scope="module")
def done(module_shell):
    """What it printed, and the folder that it filled."""
    out = module_shell.succeeds(*WORDS)
    return out, module_shell.folder / "run"


def test_every_case_is_within_the_bounds_of_the_circuit(done):
    rows = json.loads((done[1] / "metrics.json").read_text())["cases"]
    assert {(row["drive"], row["stimulus"]) for row in rows} == {(drive, name) for drive in DRIVES for name in STIMULI}
    for row in rows:
        frame = pd.read_parquet(done[1] / "waveforms" / f"{row['drive']}_{row['stimulus']}.parquet")
        apart = (frame["twin"] - frame["reference"]).abs().max()
        assert apart == pytest.approx(row["circuit_error"]["max"])
        assert apart < 0.01 * frame["reference"].abs().max()
        assert row["circuit_error"]["mre"] < 0.005
        assert row["fidelity"] == "macro"
        assert row["clamp_hits"] == {}


def test_the_report_shows_the_table_and_its_figures(done):
    out, folder = done
    page = (folder / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == len(list((folder / "figures").glob("*.png"))) == 2 * 5 + 1
    shown = re.findall(r"\d+\.\d{3}%", page)
    assert len(shown) == 8 * 5  # five relative errors a row
    assert set(shown) == set(re.findall(r"\d+\.\d{3}%", out))
    assert "each of the three arrays is reduced to what is between its pins" in page
    assert "VACASK is not installed, or was not" in page


def test_a_second_run_does_nothing_and_the_report_can_be_drawn_again(done, module_shell):
    before = {path: path.stat().st_mtime_ns for path in done[1].rglob("*.parquet")}
    again = module_shell.succeeds(*WORDS)
    assert "report is current" in again
    assert "started" not in again
    module_shell.succeeds("report", "run")
    assert {path: path.stat().st_mtime_ns for path in done[1].rglob("*.parquet")} == before


@pytest.mark.parametrize(("factor", "apart"), [(1.0, 0.0), (1 + 1e-5, 1e-5), (1 + 1e-4, None)])
def test_decks_without_the_rows_that_are_off_are_held_against_one_with_all(done, tmp_path, factor, apart):
    results, made = HPResults(root=tmp_path), HPResults(root=done[1])
    vectors = pd.read_parquet(made.vectors("current", "sine"))
    key = vectors.attrs.pop("key")
    for name, by in (("current", 1.0), (WHOLE_NAME, factor)):
        write_frame(results.vectors(name, "sine"), vectors.assign(**{"v(x0_p)": by * vectors["v(x0_p)"]}), key)
    pipeline = Pipeline(results=results, console=Console(quiet=True))
    compiled = load(made.decks("current"))
    if apart is None:
        with pytest.raises(ResultsError, match="every cell is 1.0e-04 of full scale from the one"):
            rows_off(pipeline, compiled)
    else:
        assert rows_off(pipeline, compiled) == pytest.approx(apart, rel=1e-2)
