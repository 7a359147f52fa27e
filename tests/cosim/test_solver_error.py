"""What of a waveform is the solver's: settings tightened, and an independent simulator."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from circuits.engine.door.guard import check_deck
from circuits.errors import CircuitError
from circuits.netlist.solver import STEPPED, Solver
from circuits.netlist.solver_variation import SolverVariation
from cosim.comparison.second_opinion import AGREE, deviation
from cosim.comparison.solver_share import CANDIDATES
from cosim.compiler.options import Options
from cosim.store.files import write_frame


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    folder = tmp_path_factory.mktemp("solver_error") / "decks"
    small_experiment.compile(folder, Options(fidelity="macro", all_cells=False))
    return folder


def test_an_independent_simulator_computes_the_same_states(warm_shell, compiled):
    out = warm_shell.succeeds("second-opinion", compiled, "--out", "opinion")
    assert "vacask" in out
    told = json.loads((warm_shell.folder / "opinion" / "second_opinion.json").read_text())
    assert [name.split()[0] for name in told["engines"]] == ["ngspice", "vacask"]
    (row,) = told["cases"]
    assert (row["stimulus"], row["state"], row["agrees"]) == ("sine", "x0", True)
    assert 0 < row["rms"] < row["max"] < AGREE
    assert "started" not in warm_shell.succeeds("second-opinion", compiled, "--out", "opinion")

    # engines that disagree are an error
    path = warm_shell.folder / "opinion" / "vacask" / "sine.parquet"
    frame = pd.read_parquet(path)
    key = frame.attrs.pop("key")
    frame["v(x0_p)"] *= 1.01
    write_frame(path, frame, key)
    code, _, told = warm_shell.run("second-opinion", compiled, "--out", "opinion")
    assert code == 1
    assert re.search(r"ngspice \d+ and vacask \S+ differ by more than 0.001 of full scale: sine x0 by 1\.0\de-02", told)


def test_deviation_is_in_parts_of_full_scale():
    assert deviation(np.array([0.0, -2.0, 1.0]), np.array([0.0, -2.0, 1.01])) == {
        "full_scale": 2.0, "max": pytest.approx(0.005), "rms": pytest.approx(0.005 / np.sqrt(3)), "agrees": False}
    assert deviation(np.zeros(2), np.zeros(2))["agrees"]


def test_the_solvers_share_is_printed_beside_the_circuit_error(warm_shell, compiled):
    out = warm_shell.succeeds("convergence", compiled / "sine.cir", "--out", "convergence", "--factor", "3")
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line.startswith("│")]
    rows = {first: rest for first, *rest in cells}
    assert list(rows) == ["as compiled", "tolerances", "largest step", *CANDIDATES, "both, trapezoidal", "both, Gear",
                          "circuit error, as compiled"]
    assert rows["both, trapezoidal"][1] == "reference"
    assert rows["as compiled"] == rows["accurate"]
    circuit = float(rows["circuit error, as compiled"][1])
    assert float(rows["largest step"][1]) < float(rows["as compiled"][1]) < 0.1 * circuit
    share = re.search(r"solver's share of the circuit error as compiled: ([\d.]+)%", out)
    assert 0 < float(share[1]) < 10
    assert int(rows["stepped"][0]) < int(rows["accurate"][0])  # points
    whole = [float(cell) for cell in rows["circuit error, as compiled"][1:]]
    allowed = [name for name in CANDIDATES
               if all(float(cell) <= 0.1 * limit for cell, limit in zip(rows[name][1:], whole, strict=True))]
    solver, longer = CANDIDATES[min(allowed, key=lambda name: int(rows[name][0]))]
    step = "" if longer == 1 else f" and {longer} times the largest step, which is 1/2000 of the run"
    assert f"the fewest points: --solver {solver}{step}\n" in out


def test_two_decks_of_one_name_are_refused(warm_shell, compiled):
    told = warm_shell.refuses("convergence", compiled / "sine.cir", compiled / "sine.cir")
    assert "two of these decks have one name" in told


@pytest.mark.parametrize(("words", "says"), [
    (("none.cir",), "is not a deck of"), (("sine.cir", "--factor", "1"), "tightens nothing"),
])
def test_what_cannot_be_studied(warm_shell, compiled, words, says):
    assert says in warm_shell.refuses("convergence", compiled / words[0], *words[1:], "--out", "convergence")


def test_settings_change_the_solver_and_nothing_else(compiled):
    files = {file.relative: file for file in check_deck(compiled / "sine.cir")}
    same = SolverVariation(name="default").apply(files, "sine.cir")
    changed = SolverVariation(name="all", tolerance=0.1, step=0.5, solver=Solver(method="gear")).apply(files, "sine.cir")
    assert {name: text for name, text in changed.items() if name != "sine.cir"} == {
        name: text for name, text in same.items() if name != "sine.cir"}
    lines = [(old, new) for old, new in zip(same["sine.cir"].splitlines(), changed["sine.cir"].splitlines(), strict=True)
             if old != new]
    assert [old.split()[0] for old, _ in lines] == [".options", ".tran"]
    words = lines[0][1].split()
    assert {"reltol=0.0001", "abstol=1e-13", "vntol=1e-07", "chgtol=1e-15", "method=gear", "trtol=1", "klu"} <= set(words)
    assert float(lines[1][1].split()[-1]) == 0.5 * float(lines[1][0].split()[-1])


def test_another_solver_is_the_one_that_a_deck_compiled_with_it_has(compiled, small_experiment, tmp_path):
    small_experiment.compile(tmp_path, Options(fidelity="macro", all_cells=False, solver=STEPPED))
    stepped = set(options_of((tmp_path / "sine.cir").read_text()))
    files = {file.relative: file for file in check_deck(compiled / "sine.cir")}
    text = SolverVariation(name="stepped", solver=STEPPED).apply(files, "sine.cir")["sine.cir"]
    assert set(options_of(text)) == stepped
    assert {"method=gear", "chgtol=1e-09"} <= stepped


def options_of(text):
    return re.search(r"(?m)^\.options (.*)$", text)[1].split()


def test_a_deck_without_settings_is_refused(tmp_path):
    (tmp_path / "d.cir").write_text("t\nv1 a 0 1\nr1 a 0 1\n.tran 1u 1m\n.end\n")
    with pytest.raises(CircuitError, match="no .options card"):
        SolverVariation(name="x", step=0.1).apply({f.relative: f for f in check_deck(tmp_path / "d.cir")}, "d.cir")
