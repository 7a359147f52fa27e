"""`cosim corners`: table, bounds, causes, resuming, and that nothing wrong passes silently."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import expm

from circuits.corners.corner import CORNERS, Corner
from circuits.errors import FailureKind, SimulationError
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.corner import board_at
from cosim.behavioural.integrate import model_states, solve
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.folder.manifest import read_manifest
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from cosim.store.files import write_frame, write_json
from cosim.studies.corners import study as corner_study
from cosim.studies.corners.bound import bound_of, carried, predict
from cosim.studies.corners.folder import write_corner_folder
from cosim.studies.corners.row import CLAIM, CornerCase, CornerRow, TwinError
from cosim.studies.corners.study import CornerStudy, explained


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    folder = tmp_path_factory.mktemp("corners") / "decks"
    small_experiment.compile(folder, Options(fidelity="macro"))
    return folder


def table(out):
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line.startswith("│")]
    return {first: rest for first, *rest in cells}


def per_cent(cell):
    return float(cell.rstrip("%")) / 100


def test_the_table_and_what_does_not_pass_silently(warm_shell, compiled):
    words = ("corners", compiled, "--corner", "wires_x2", "--corner", "offset_high", "--out", "out")
    out = warm_shell.succeeds(*words)
    rows = table(out)
    assert list(rows) == ["nominal", "wires_x2", "offset_high"]
    for what, mre, mre_bound, largest, max_bound, hits, verdict in rows.values():
        assert per_cent(mre) <= per_cent(mre_bound) and per_cent(largest) <= per_cent(max_bound) and hits == "0", what
        assert verdict == ("within" if per_cent(mre) <= 0.005 and per_cent(largest) <= 0.01 else "flagged")
    assert (rows["offset_high"][0], rows["offset_high"][-1]) == ("offset 0.0003", "flagged")
    assert re.search(r"flagged: offset_high \(MRE 1\.\d+%, max 1\.\d+%\) is beyond MRE 0\.50%, max 1\.00%; "
                     r"cause: offset \(without: MRE 0\.0\d%, max 0\.0\d%\)", out)
    told = json.loads((warm_shell.folder / "out" / "corners.json").read_text())
    assert [(row["name"], row["verdict"]) for row in told["corners"]] == [(name, row[-1]) for name, row in rows.items()]
    assert {path.name for path in (warm_shell.folder / "out").iterdir()} == {*rows, "corners.json"}

    # resumes: what is there is not simulated again
    (warm_shell.folder / "out" / "wires_x2" / "vectors" / "sine.parquet").unlink()
    again = warm_shell.succeeds(*words)
    assert re.findall(r"done, (.*)", again) == ["wires_x2 sine"]
    assert table(again) == rows

    # a corner alone: the rows of the others stay; those of other decks do not, and that is said
    path, alone = warm_shell.folder / "out" / "corners.json", (*words[:4], *words[-2:])
    warm_shell.succeeds(*alone)
    assert json.loads(path.read_text()) == told
    write_json(path, told | {"decks": "others"})
    assert "no longer in it, because of other decks or another ngspice: offset_high" in warm_shell.succeeds(*alone)
    assert [row["name"] for row in json.loads(path.read_text())["corners"]] == ["nominal", "wires_x2"]
    path.write_text("{")
    assert "corners.json is damaged" in warm_shell.refuses(*alone)
    path.unlink()

    # a waveform past its stated bound is an error that names the corner
    path = warm_shell.folder / "out" / "wires_x2" / "vectors" / "sine.parquet"
    frame = pd.read_parquet(path)
    key = frame.attrs.pop("key")
    frame["v(x0_p)"] *= 1.003
    write_frame(path, frame, key)
    code, out, told = warm_shell.run(*words)
    assert code == 1
    assert table(out)["wires_x2"][-1] == "FAILED"
    assert re.search(r"cosim: corners that are not to be believed: wires_x2, sine: MRE 0\.\d\d%, max 0\.\d\d% of full "
                     r"scale, beyond the stated bound", " ".join(told.split()))
    assert "offset_high" not in told


@pytest.mark.parametrize(("words", "says"), [
    (("--corner", "warm"), "no corner named 'warm'; there are nominal, cold, hot"),
    (("--fidelity", "flat"), "is compiled already; --fidelity is for a checkpoint or a Python file"),
    (("--fidelity", "fine"), "fidelity 'fine': choose macro, flat-trimmed, flat"),
])
def test_options_that_lead_nowhere(warm_shell, compiled, words, says):
    assert says in warm_shell.refuses("corners", compiled, *words, "--out", "out")
    assert not (warm_shell.folder / "out").exists()


@pytest.mark.parametrize(("source", "says"), [
    ("gone", "gone/manifest.json does not exist; make the folder with `cosim compile`"),
    ("rc", "rc/manifest.json does not exist; make the folder with `cosim compile`"),
    ("gone.npz", "gone.npz"),
    ("notes.txt", "notes.txt: name a Python file with experiment(), or a checkpoint"),
])
def test_sources_that_lead_nowhere(warm_shell, source, says):
    (warm_shell.folder / "rc").mkdir()
    (warm_shell.folder / "rc" / "rc.cir").write_text("rc\nr1 a 0 1\nv1 a 0 1\n.op\n.end\n")
    (warm_shell.folder / "notes.txt").write_text("")
    assert says in warm_shell.refuses("corners", source)


def test_a_case_at_rest_is_refused(warm_shell, small_experiment):
    model = torch.nn.Linear(2, 1, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    case = replace(small_experiment.cases[0], initial=(0.0,))
    replace(small_experiment, model=model, cases=(case,)).compile(warm_shell.folder / "decks", Options(fidelity="macro"))
    told = warm_shell.refuses("corners", "decks", "--corner", "hot")
    assert told.startswith("cosim: decks, case sine: torch keeps state x0 at 0 throughout")


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_results_that_cannot_be_written_are_refused_first(warm_shell, compiled, out):
    (warm_shell.folder / "taken").write_text("mine")
    assert f"{out} cannot be a folder for results: " in warm_shell.refuses("corners", compiled, "--out", out)


def test_a_folder_at_a_corner_is_refused(warm_shell, compiled):
    write_corner_folder(read_manifest(compiled), warm_shell.folder / "hot", CORNERS["hot"])
    for words in (("corners", "hot"), ("simulate", "hot", "--fidelity", "behavioural"), ("inspect", "hot", "--loops")):
        assert "hot is at corner hot, of which the board in manifest.json knows nothing" in warm_shell.refuses(*words)


# causes and failures


def study(compiled, tmp_path):
    return CornerStudy(manifest=read_manifest(compiled), root=tmp_path, console=Console(quiet=True), workers=1, timeout=60)


def test_a_run_that_fails_is_its_corners_row_and_no_others(compiled, tmp_path, monkeypatch):
    real = corner_study.simulate

    def simulate(runs, **how):
        if "diode_b" in runs[0].label:
            raise SimulationError("time step too small", kind=FailureKind.NO_CONVERGENCE, deck=runs[0].deck)
        return real(runs, **how)

    monkeypatch.setattr(corner_study, "simulate", simulate)
    nominal, failed = study(compiled, tmp_path).run([CORNERS["diode_b"]])
    assert nominal.verdict == "within"
    assert (failed.verdict, failed.error) == ("FAILED", None)
    assert failed.trouble == "sine: no_convergence: time step too small"


def test_a_line_that_clips_is_a_failure():
    good = TwinError(mre=1e-3, max=1e-3)
    one = CornerCase(case="sine", bound=good, error=good, clamp_hits={"v(x0_p)": {"peak": 0.5, "time": 0.1}})
    row = CornerRow(corner=CORNERS["hot"], cases=(one,))
    assert (row.verdict, row.hits) == ("FAILED", 1)
    assert row.trouble == "sine: v(x0_p) reaches 0.500 V, past its linear range"


def row(corner, per_cent, bound=0.1):
    error = TwinError(mre=per_cent / 100, max=per_cent / 100)
    return CornerRow(corner=corner, cases=(CornerCase(case="sine", bound=TwinError(mre=bound, max=bound), error=error),))


def hot_without(offset, leakage, transistors):
    """Rows of the hot corner without its effects, per cent."""
    left = zip(CORNERS["hot"].without().values(), (offset, leakage, transistors), strict=True)
    return {corner: row(corner, value) for corner, value in left} | {CORNERS["nominal"]: row(CORNERS["nominal"], 0.1)}


def test_the_cause_is_the_effect_without_which_least_is_left():
    told = explained(row(CORNERS["hot"], 4.0), hot_without(3.9, 1.0, 3.0))
    assert list(told.without) == ["diode leakage", "select transistors", "offset"]
    assert told.verdict == "flagged"
    assert told.cause.startswith("diode leakage (without: MRE 1.00%, max 1.00%); select transistors")


def test_an_error_that_no_effect_explains_is_a_failure():
    told = explained(row(CORNERS["hot"], 4.0), hot_without(3.9, 3.8, 4.1))
    assert told.verdict == "FAILED"
    assert "none of its effects explains that: without diode leakage MRE 3.80%" in told.trouble


def test_a_cause_is_not_taken_from_a_run_that_is_not_believed():
    measured = hot_without(3.9, 1.0, 3.0)
    broken = CORNERS["hot"].without()["diode leakage"]
    told = explained(row(CORNERS["hot"], 4.0), measured | {broken: row(broken, 1.0, bound=0.001)})
    assert told.verdict == "FAILED"
    assert "its cause is not known: hot_without_diode_leakage, sine: MRE 1.00%" in told.trouble


def test_a_board_that_is_beyond_the_claim_itself_is_its_corners_cause():
    nominal = row(CORNERS["nominal"], 2.0)
    told = explained(row(CORNERS["wires_x2"], 2.01), {CORNERS["nominal"]: nominal})
    assert (told.verdict, told.cause) == ("flagged", "the nominal board itself")


# bounds


@pytest.mark.parametrize("corner", [*(CORNERS[name] for name in ("nominal", "cold", "hot", "offset_low", "slow_transistor")),
                                    Corner(name="large", reason="13 % of full scale", offset=3e-3)], ids=lambda one: one.name)
def test_the_prediction_is_what_the_corners_board_does(small_experiment, small_model, corner):
    (case,) = small_experiment.cases
    twin = compile_board(read_network(small_model, small_experiment.columns), small_experiment.calibration)
    blueprint, expected = blueprint_of(twin), reference(read_network(small_model), case)
    board = board_at(blueprint, corner)
    predicted = predict(board, blueprint.scales, read_network(small_model), case, expected)
    with torch.no_grad():
        states = model_states(board, solve(board, case, blueprint.scales), blueprint.scales)[:, 0].numpy()
    solved = TwinError.between(expected, states)
    # first order in the corner's error of 1 % at most; the large one is solved outright
    assert predicted.max == pytest.approx(solved.max, rel=0.03, abs=5e-5)
    assert predicted.mre == pytest.approx(solved.mre, rel=0.03, abs=1e-4)


def test_errors_are_carried_by_the_jacobian():
    a, source, start = np.array([[-1.0, 2.0], [-3.0, -0.5]]), np.array([0.3, -0.2]), np.array([0.01, 0.02])
    t = np.linspace(0, 1, 2001)
    got = carried(np.broadcast_to(a, (2001, 2, 2)), np.broadcast_to(source, (2001, 2)), start, t[1])
    rest = np.linalg.solve(a, source)
    np.testing.assert_allclose(got[-1], expm(a) @ (start + rest) - rest, rtol=0, atol=1e-7)  # h^2 / 12 of the third derivative


def test_a_bound_is_never_below_what_is_predicted():
    bound = bound_of(TwinError(mre=0.01, max=0.02))
    assert (bound.mre, bound.max) == pytest.approx((0.0135, 0.0255))
    assert TwinError(mre=0.01, max=0.02).within(bound)
    assert not replace(CLAIM, max=0.011).within(CLAIM)
