"""Truth of own models: given in every form, kept with the folder, and told by compare beside the circuit error."""

import json

import numpy as np
import pytest
import xarray

from cosim import CosimError, Gate, Options, compare, compile_network, load, simulate
from cosim.comparison.case_comparison import state_error
from cosim.errors import ResultsError
from cosim.studies.base.case_rows import case_rows, stored_comparison

from .test_signals import MEASURED, TIMES, experiment, followed

MACRO = Options(fidelity="macro", all_cells=False)
GRID = np.linspace(0.0, 1.0, 101)
TRUTH = followed(lambda t: np.interp(t, TIMES, MEASURED)) + 0.02 * GRID  # what a real device does, and the network does not


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two cases, the truth of the first known."""
    given = experiment((TIMES, MEASURED), 0.3, truth={"run": TRUTH})
    folder = tmp_path_factory.mktemp("truth")
    return compare(simulate(compile_network(given, folder, MACRO), fidelity="behavioural"))


def test_model_and_total_error_stand_beside_the_circuit_error(compared):
    frame = compared.to_frame().set_index("case")
    known, unknown = frame.loc["run"], frame.loc["run1"]
    first = compared.cases[0]
    reference, twin = first.reference[:, 0], first.twin[:, 0]
    np.testing.assert_array_equal(first.truth[:, 0], TRUTH)
    # The truth was made to leave the network's solution by 0.02 at the end.
    assert known["model_max"] == pytest.approx(0.02, abs=2e-4)
    assert known["model_l1"] == pytest.approx(0.01, abs=2e-4)
    assert known["model_rmse"] == pytest.approx(0.02 / np.sqrt(3), abs=2e-4)
    assert known["model_max_error"] == pytest.approx(0.02 / np.abs(TRUTH).max(), rel=1e-2)
    floor = np.maximum(np.abs(TRUTH), 0.01 * np.abs(TRUTH).max())
    assert known["model_mre"] == pytest.approx(np.mean(np.abs(reference - TRUTH) / floor))
    assert known["total_mre"] == pytest.approx(np.mean(np.abs(twin - TRUTH) / floor))
    assert known["total_max"] == pytest.approx(np.abs(twin - TRUTH).max())
    assert known["mre"] == pytest.approx(np.mean(np.abs(twin - reference) / np.maximum(np.abs(reference), 0.01 * np.abs(
        reference).max())))
    assert unknown[[name for name in frame if name.startswith(("model_", "total_"))]].isna().all()
    assert compared.cases[1].truth is None


def test_it_is_in_table_dataset_plot_and_gate_file(compared, tmp_path):
    table = compared.table()
    assert list(table.columns[-4:]) == ["model MRE", "model max", "total MRE", "total max"]
    assert table["model MRE"].tolist()[1] == ""
    assert float(table["model max"][0].rstrip("%")) == pytest.approx(2.0 / np.abs(TRUTH).max(), rel=1e-2)
    tree = compared.to_xarray()
    np.testing.assert_array_equal(tree["run"]["truth"].sel(state="x0"), TRUTH)
    assert "truth" not in tree["run1"].variables
    assert isinstance(tree["run"]["truth"], xarray.DataArray)
    figure = compared.plot()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["truth", "torch", "circuit twin"]
    assert [len(axis.get_lines()) for axis in figure.axes[:2]] == [3, 2]  # the truth of the first case alone
    Gate(max_mre=0.05).write(tmp_path / "gate.json", compared)
    rows = json.loads((tmp_path / "gate.json").read_text())["cases"]
    assert rows[0]["total_max"] > 0
    assert rows[1]["total_max"] is None


def test_without_truth_nothing_is_said_of_it(tmp_path):
    comparison = compare(simulate(compile_network(experiment(0.3), tmp_path, MACRO), fidelity="behavioural"))
    assert not [name for name in comparison.to_frame() if name.startswith(("model", "total"))]
    assert "model MRE" not in comparison.table()
    assert "truth" not in json.dumps(json.loads((tmp_path / "manifest.json").read_text())["cases"])


def test_a_truth_at_rest_has_absolute_errors_only():
    error = state_error(np.ones(5), np.full(5, 1.1), np.zeros(5))
    assert (error.model_mre, error.model_max_error, error.model_max, error.total_l1) == (None, None, 1.0, pytest.approx(1.1))
    assert error.mre == pytest.approx(0.1)


def known(case):
    return np.interp(case.times, GRID, TRUTH)


FINE = np.linspace(-0.1, 1.2, 4001)


@pytest.mark.parametrize("truth", [
    {"run": TRUTH}, {"run": TRUTH[:, None]}, {"run": TRUTH.tolist()}, {"run": known}, known,
    lambda case: (FINE, 0.1 * np.sin(FINE)), {"run": (FINE, 0.1 * np.sin(FINE)[:, None])}, {}, None,
])
def test_every_form(truth):
    truths = experiment(0.3, truth=truth).truths
    if not truth:
        assert truths == {}
        return
    sine = np.abs(truths["run"][:, 0] - 0.1 * np.sin(GRID)).max()
    assert truths["run"].shape == (101, 1)
    assert sine < 1e-8 or np.array_equal(truths["run"][:, 0], TRUTH)  # shape-preserving cubics over 0.3 ms


@pytest.mark.parametrize(("truth", "says"), [
    ({"walk": TRUTH}, "truth of walk: there is no such case; the cases are run"),
    (TRUTH, "truth is a ndarray; give a mapping from the names of cases to arrays"),
    ({"run": TRUTH[:50]}, "truth of case run has 50 samples, the case's grid has 101; give it at case.times, or as a tuple"),
    ({"run": np.zeros((101, 2))}, r"truth of case run has shape \(101, 2\); it is \(101 samples, as case.times has; 1 state\)"),
    ({"run": np.where(GRID > 0.5, np.nan, TRUTH)}, "truth of case run: sample 51 of state x0 is nan; give finite values"),
    ({"run": "measured"}, "truth of case run is not an array of numbers"),
    ({"run": (GRID, TRUTH[:50])}, r"times of shape \(101,\) and 50 rows of values"),
    ({"run": (GRID[::-1], TRUTH)}, "its times must be finite and ascend"),
    ({"run": (GRID * 0.5, TRUTH)}, "covers 0 s to 0.5 s, the case 0 s to 1 s; .* nothing is extrapolated"),
    (lambda case: None, "truth of case run"),
])
def test_what_does_not_fit_is_refused(truth, says):
    with pytest.raises(CosimError, match=says):
        experiment(0.3, truth=truth)


def test_a_changed_truth_file_is_told(tmp_path):
    compile_network(experiment(0.3, truth={"run": TRUTH}), tmp_path, MACRO)
    np.testing.assert_array_equal(load(tmp_path).truth("run")[:, 0], TRUTH)
    file = tmp_path / "truth" / "run.npz"
    np.savez(file, truth=TRUTH[:, None] + 1)
    with pytest.raises(ResultsError, match="run.npz is not the file that the decks were compiled with"):
        load(tmp_path).truth("run")


@pytest.mark.parametrize("file", ["../../truth/run.npz", "/etc/run.npz", "truth/../run.npz"])
def test_a_manifest_names_no_file_elsewhere(tmp_path, file):
    compile_network(experiment(0.3, truth={"run": TRUTH}), tmp_path, MACRO)
    content = json.loads((tmp_path / "manifest.json").read_text())
    content["cases"][0]["truth"]["file"] = file
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ResultsError, match="is no name of a file of arrays"):
        load(tmp_path)


def test_a_study_stores_the_truth_with_its_rows(compared):
    first = compared.cases[0]
    frame, (row,) = case_rows(first.run)
    np.testing.assert_array_equal(frame["truth_0"], TRUTH)
    again = stored_comparison(first.run, frame, json.loads(json.dumps(row)))
    np.testing.assert_array_equal(again.truth, first.truth)
    assert again.errors == first.errors
