"""`cosim compare` as a gate: limits, exit codes, numeric rows; a changed conductance does not pass."""

import json
import re
from dataclasses import replace

import pytest

from cosim import Options
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths


@pytest.fixture(scope="module")
def board(module_shell):
    """The HP twin's flat board, its cells in use, simulated by ngspice on the sine."""
    folder = module_shell.folder / "board"
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    replace(experiment, cases=experiment.cases[:1]).compile(folder, Options(all_cells=False))
    module_shell.succeeds("simulate", folder, "--out", folder / "vectors")
    return folder


def test_a_good_board_passes_and_its_rows_are_numbers(module_shell, board):
    told = module_shell.succeeds("compare", board, "--max-mre", "0.5%", "--max-error", "1%", "--json", "out.json")
    assert "rows: out.json" in told
    rows = json.loads((module_shell.folder / "out.json").read_text())
    assert (rows["passed"], rows["violations"], rows["limits"]["max_mre"]) == (True, [], 0.005)
    (row,) = rows["cases"]
    assert (row["case"], row["state"]) == ("sine", "x0")
    assert 0 < row["mre"] < 0.005
    assert 0 < row["max_error"] < 0.01


def test_a_limit_as_a_part_is_the_same(module_shell, board):
    assert "limit 0.0010%" in module_shell.fails("compare", board, "--max-mre", "1e-5")


def test_a_conductance_changed_by_5_percent_does_not_pass(module_shell, board):
    file = board / "conductances" / "output.inc"
    nominal = file.read_text()
    values = [(float(found[2]), found) for found in re.finditer(r"(g_\w+\s*=\s*)([0-9.e-]+)", nominal)]
    largest, found = max(values, key=lambda value: value[0])
    try:
        file.write_text(nominal[: found.start(2)] + f"{1.05 * largest:.7g}" + nominal[found.end(2):])
        module_shell.succeeds("simulate", board, "--out", board / "vectors")
        said = module_shell.fails("compare", board, "--max-mre", "0.5%", "--max-error", "1%", "--json", "bad.json")
    finally:
        file.write_text(nominal)
    assert re.search(r"sine, state x0: (MRE|largest error) \d+\.\d+%, limit", said)
    rows = json.loads((module_shell.folder / "bad.json").read_text())
    assert not rows["passed"]
    assert rows["violations"]


@pytest.mark.parametrize(("limit", "says"), [
    ("0%", "a limit lies above 0"),
    ("200%", "at most at 100 %"),
    ("2", "write 2% for 2 percent, or a part below 1"),
    ("half", "is no number; write e.g. 0.5% or 0.005"),
    ("nan", "max_mre = nan"),
])
def test_limits_that_mean_nothing_are_refused(module_shell, board, limit, says):
    assert says in module_shell.refuses("compare", board, "--max-mre", limit)
