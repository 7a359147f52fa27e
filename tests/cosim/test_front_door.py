"""The front door: compile, open, simulate, compare in Python; results as objects; bad input told."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import torch
import xarray

import cosim
from cosim import CosimError, Gate, Options, compare, compile_network, load, simulate
from cosim.errors import CosimWarning, GateError, ResultsError, UnsupportedModelError

MACRO = Options(fidelity="macro")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    return compile_network(small_experiment, tmp_path_factory.mktemp("front") / "board", MACRO)


@pytest.fixture(scope="module")
def simulated(compiled):
    return simulate(compiled, fidelity="behavioural")


@pytest.fixture(scope="module")
def comparison(simulated):
    return compare(simulated)


def test_import_is_lazy_and_every_name_is_there():
    program = ("import sys, cosim\n"
               "assert not {'torch', 'numpy', 'pandas', 'PySpice'} & set(sys.modules), 'imported too much'\n"
               "print([name for name in cosim.__all__ if getattr(cosim, name) is None])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    assert set(cosim.__all__) <= set(dir(cosim))
    with pytest.raises(AttributeError, match="has no attribute 'compyle'; it has CORNERS, Calibration"):
        cosim.compyle  # noqa: B018


def test_functions_stay_functions_whatever_is_imported(comparison):
    """No folder of the package has the name of a function of the front door, or importing it would hide that function."""
    assert callable(cosim.simulate)
    assert callable(cosim.compare)
    assert callable(cosim.load)


def test_comparing_warns_of_a_case_that_is_off_and_leaves_the_random_state_alone(simulated):
    waveforms = {name: simulated.waveforms(name) for name in simulated.vectors}
    late = {name: replace(one, data=one.data * np.where([column == "time" for column in one.names], 1.0, 1.3))
            for name, one in waveforms.items()}

    class Late(type(simulated)):
        def waveforms(self, name):
            return late[name]

    off = Late(**{field.name: getattr(simulated, field.name) for field in fields(simulated)})
    with pytest.warns(CosimWarning, match=r"sine: x0 is the first state to pass 2%.*print\(comparison.why\)"):
        compare(off)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    compare(simulated.compiled.folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_compiled_network_says_what_it_is(compiled):
    frame = compiled.to_frame()
    assert frame["layer"].tolist() == ["hidden_1", "hidden_2", "output"]
    assert frame["cells"].tolist() == [5 * 6, 3 * 12, 1 * 8]
    assert {name: g.shape for name, g in compiled.conductances().items()} == dict.fromkeys(frame["layer"], (32, 32))
    assert "hidden_2" in compiled._repr_html_()
    again = load(compiled.folder)
    assert (again.subject, again.fidelity, list(again.decks)) == ("test", "macro", ["sine"])
    assert again.network.hash == compiled.network.hash


def test_a_simulation_gives_states_in_model_units(simulated, small_experiment):
    (case,) = small_experiment.cases
    frame = simulated.to_frame()
    assert list(frame.columns) == ["case", "time", "x0"]
    np.testing.assert_allclose(frame["time"], case.times)
    assert frame["x0"].iloc[0] == pytest.approx(0.1, abs=1e-3)  # the initial state
    tree = simulated.to_xarray()
    assert isinstance(tree, xarray.DataTree)
    np.testing.assert_array_equal(tree["sine"]["states"].sel(state="x0"), frame["x0"])
    with pytest.raises(ResultsError, match="no case 'cosine' was simulated; there are sine"):
        simulated.waveforms("cosine")


def test_what_is_current_is_not_simulated_again(compiled, simulated):
    before = simulated.vectors["sine"].stat().st_mtime_ns
    simulate(compiled, fidelity="behavioural")
    assert simulated.vectors["sine"].stat().st_mtime_ns == before


def test_a_comparison_holds_numbers(comparison, simulated):
    frame = comparison.to_frame()
    row = frame.iloc[0]
    assert (row["case"], row["state"], row["clamp_hits"]) == ("sine", "x0", 0)
    error = comparison.cases[0].twin - comparison.cases[0].reference
    assert row["max"] == pytest.approx(np.abs(error).max())
    assert row["max_error"] == pytest.approx(row["max"] / np.abs(comparison.cases[0].reference).max())
    assert frame.drop(columns=["case", "state"]).dtypes.map(pd.api.types.is_numeric_dtype).all()
    dataset = comparison.to_xarray()["sine"]
    np.testing.assert_allclose(dataset["error"], error)
    assert comparison.plot().axes
    assert "max / full scale" in comparison._repr_html_()
    assert repr(comparison).startswith("<Comparison of 'test'")


def test_plots_leave_the_users_settings_alone(comparison):
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 21.0, "axes.grid": False}):
        plt.close(comparison.plot())
        assert (plt.rcParams["font.size"], plt.rcParams["axes.grid"]) == (21.0, False)


def test_compare_finds_what_was_put_beside_the_decks(compiled, comparison):
    found = compare(compiled.folder)
    pd.testing.assert_frame_equal(found.to_frame(), comparison.to_frame())
    pd.testing.assert_frame_equal(compare(compiled).to_frame(), comparison.to_frame())


def test_compare_reads_a_results_folder_of_several_boards(tmp_path, small_experiment):
    for drive in ("left", "right"):
        board = compile_network(small_experiment, tmp_path / "decks" / drive, MACRO)
        simulate(board, fidelity="behavioural", out=tmp_path / "scratch")
        (tmp_path / "vectors").mkdir(exist_ok=True)
        (tmp_path / "scratch" / "sine.parquet").rename(tmp_path / "vectors" / f"{drive}_sine.parquet")
    frame = compare(tmp_path).to_frame()
    assert frame[["board", "case"]].to_numpy().tolist() == [["left", "sine"], ["right", "sine"]]
    (tmp_path / "vectors" / "left_sine.parquet").unlink()
    partly = compare(tmp_path)
    assert (partly.to_frame()["board"].tolist(), partly.missing) == (["right"], ("left sine",))


@pytest.mark.parametrize(("limits", "says"), [
    ({"max_mre": 0.0}, "max_mre = 0, that is 0.0000%: a limit lies above 0"),
    ({"max_error": 2.0}, "max_error = 2, that is 200.0000%: .* at most at 100 %"),
    ({"max_error": float("nan")}, "max_error = nan"),
    ({"max_mre": -0.1}, "above 0"),
])
def test_limits_that_gate_nothing_are_refused(limits, says):
    with pytest.raises(CosimError, match=says):
        Gate(**limits)


def test_the_gate_names_case_state_figure_and_limit(comparison):
    Gate(max_mre=0.05, max_error=0.05).check(comparison)
    with pytest.raises(GateError, match=r"sine, state x0: MRE 0\.\d+%, limit 0\.0001%"):
        Gate(max_mre=1e-6).check(comparison)
    assert len(Gate(max_mre=1e-6, max_error=1e-6).violations(comparison)) == 2


@pytest.mark.parametrize(("change", "says"), [
    ({"columns": ("u0", "y0")}, "column 'y0': a column is u0, u1, ... for an external input"),
    ({"columns": ("u0", "x1")}, "do not name every external input and state once"),
    ({"columns": ("u0",)}, "so the columns are u0, x0 in any order, not u0"),
    ({"model": torch.nn.Linear(3, 1)}, "model takes 3 inputs, but there are 2 columns"),
    ({"cases": ()}, "give at least one"),
])
def test_an_experiment_that_does_not_fit_is_refused(small_experiment, change, says):
    with pytest.raises((CosimError, UnsupportedModelError), match=says):
        replace(small_experiment, **change)


@pytest.mark.parametrize(("call", "says"), [
    (lambda folder: load(folder), "manifest.json does not exist; make the folder with `cosim compile`"),
    (lambda folder: compare(folder), "manifest.json does not exist; make the folder with"),
    (lambda folder: compare(folder / "nowhere"), "is not a folder"),
    (lambda folder: simulate(folder), "manifest.json does not exist"),
])
def test_an_empty_folder_is_told(tmp_path, call, says):
    with pytest.raises(ResultsError, match=says):
        call(tmp_path)


def test_a_folder_that_was_not_simulated_is_told(tmp_path, small_experiment):
    board = compile_network(small_experiment, tmp_path / "board", MACRO)
    with pytest.raises(ResultsError, match=r"neither sine\.parquet nor sine\.raw in .*run `cosim simulate` first"):
        compare(board)
    with pytest.raises(CosimError, match="fidelity 'exact': give 'behavioural', or None"):
        simulate(board, fidelity="exact")
