"""A diagnosis as a user meets it: `cosim compare --why`, its JSON, the report; and input that no diagnosis can be made of."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from circuits.board.nets import state_vector
from circuits.errors import MissingVector
from cosim import Options, compare, compile_network, load, simulate
from cosim.behavioural.simulation import folder_key
from cosim.diagnosis.case_diagnosis import diagnose_case
from cosim.errors import ResultsError
from cosim.folder.manifest import read_manifest
from cosim.store.files import read_frame, write_frame

MACRO = Options(fidelity="macro", all_cells=False)


@pytest.fixture(scope="module")
def folder(module_shell, small_experiment):
    """A compiled and simulated folder of a small network."""
    place = module_shell.folder / "decks"
    board = compile_network(small_experiment, place, MACRO)
    simulate(board, fidelity="behavioural")
    return place


@pytest.fixture
def run(folder):
    (case,) = compare(folder).cases
    return case.run


def changed(run, **how):
    return replace(run.waveforms, **how)


def test_compare_says_why(module_shell, folder):
    told = module_shell.succeeds("compare", folder, "--why", "--json", "why.json")
    assert "The board stays within 2% of full scale for the whole run of 0.05 model s" in told
    assert "To change: " in told
    (case,) = json.loads((module_shell.folder / "why.json").read_text())["why"]
    assert (case["case"], case["first_state"]) == ("sine", "x0")
    assert {share["name"] for share in case["shares"]["sources"]} == {"static", "lag", "crossover", "clipping", "start"}
    assert case["states"][0]["horizon"] == {"time": 0.05, "passed": False}
    assert case["advice"] and case["text"]


def test_compare_without_why_does_not_take_its_time(module_shell, folder):
    told = module_shell.succeeds("compare", folder, "--json", "plain.json")
    assert "To change" not in told
    assert "why" not in json.loads((module_shell.folder / "plain.json").read_text())


def test_a_board_that_is_off_is_told_with_the_way_to_ask_why(module_shell, folder, contents):
    path = folder / "vectors" / "sine.parquet"
    frame = read_frame(path)
    key, start = frame.attrs["key"], read_manifest(folder).start
    bad = frame.copy()
    late = bad["time"] > start + 0.02
    bad.loc[late, "v(x0_p)"] += 0.05 * frame["v(x0_p)"].abs().max()
    try:
        bad.attrs = {}
        write_frame(path, bad, key)
        told = module_shell.succeeds("compare", folder)
        assert "sine: x0 is the first state to pass 2% of full scale, at 0.02" in told
        assert f"what errs and what to change: cosim compare {folder} --why" in " ".join(told.split())
        why = module_shell.succeeds("compare", folder, "--why")
        # nothing on the board makes a state jump: the board's equations cannot explain it, and it is said so
        assert "of the error is not explained by these equations" in why
        module_shell.succeeds("report", folder, "--out", "page.html")
        page = (module_shell.folder / "page.html").read_text()
        assert "Why the board differs from torch" in page
        assert "x0 is the first state to pass 2%" in page
    finally:
        frame.attrs = {}
        write_frame(path, frame, key)


def test_a_good_boards_page_does_not_ask_why(module_shell, folder):
    module_shell.succeeds("report", folder, "--out", "good.html")
    assert "Why the board differs" not in (module_shell.folder / "good.html").read_text()


def test_frames(folder):
    why = compare(folder).why
    frame, sources = why.to_frame(), why.sources_frame()
    assert list(frame["state"]) == ["x0"]
    assert frame["exponent"].iloc[0] < 0 or frame["exponent"].iloc[0] > 0
    assert isinstance(sources, pd.DataFrame)
    whole, static = sources[sources["part_of"] == ""], sources[sources["part_of"] == "static"]
    assert whole["share"].sum() + frame["left"].iloc[0] == pytest.approx(1.0, abs=1e-9)
    # the parts of the static source are its whole, to first order exactly
    assert static["share"].sum() == pytest.approx(whole.set_index("source")["share"]["static"], abs=1e-9)
    assert repr(why) == why.text
    assert "<li>" in why._repr_html_()


def test_no_such_case_and_no_waveforms(folder, run, module_shell):
    with pytest.raises(ResultsError, match="no case 'cosine' was compiled; there are sine"):
        diagnose_case(run.compiled, "cosine", run.waveforms)
    bare = module_shell.folder / "bare"
    bare.mkdir()
    assert "make the folder with `cosim compile`" in module_shell.refuses("compare", bare, "--why")


def test_a_waveform_with_too_few_points_is_refused(run):
    with pytest.raises(ResultsError, match=r"case sine: the waveform has 12 points .* save at least 50"):
        few = np.concatenate([run.waveforms.data[:3], run.waveforms.data[-51:][np.r_[0:11, 50]]])
        diagnose_case(run.compiled, "sine", changed(run, data=few))


def test_a_value_that_is_not_a_number_is_refused(run):
    data = run.waveforms.data.copy()
    data[30, run.waveforms.names.index(state_vector(0))] = np.nan
    with pytest.raises(ResultsError, match=r"case sine: v\(x0_p\) is not finite at .* s; simulate again"):
        diagnose_case(run.compiled, "sine", changed(run, data=data))


def test_a_run_that_ended_early_is_refused(run):
    with pytest.raises(ResultsError, match="ended early"):
        diagnose_case(run.compiled, "sine", changed(run, partial=True))


def test_a_state_line_that_was_not_saved_is_named(run):
    kept = [k for k, name in enumerate(run.waveforms.names) if name != state_vector(0)]
    waves = changed(run, data=run.waveforms.data[:, kept], names=tuple(run.waveforms.names[k] for k in kept))
    with pytest.raises(MissingVector, match=r"v\(x0_p\)"):
        diagnose_case(run.compiled, "sine", waves)


def test_without_saved_neurons_the_rest_is_told(run):
    kept = [k for k, name in enumerate(run.waveforms.names) if "h1_" not in name and "h2_" not in name]
    waves = changed(run, data=run.waveforms.data[:, kept], names=tuple(run.waveforms.names[k] for k in kept))
    case = diagnose_case(run.compiled, "sine", waves)
    assert case.neurons is None
    assert case.shares is not None


def test_a_folder_whose_conductances_are_another_boards_is_an_error(tmp_path, small_experiment):
    board = compile_network(small_experiment, tmp_path / "decks", MACRO)
    comparison = compare(simulate(board, fidelity="behavioural"))
    next((tmp_path / "decks" / "conductances").glob("*.inc")).write_text("* nothing\n")
    with pytest.raises(Exception, match="conductance") as caught:
        comparison.diagnose()
    assert type(caught.value).__module__.startswith(("circuits", "cosim"))


def test_memristors_without_a_behavioural_model_are_said_so(tmp_path, small_experiment, run):
    board = compile_network(small_experiment, tmp_path / "kappa", Options(all_cells=False, kappa=1.0))
    case = diagnose_case(board, "sine", run.waveforms)
    assert (case.shares, case.speeds) == (None, ())
    assert case.unknown == "memristors with a kappa have no behavioural model"


def test_a_solution_at_rest_is_diagnosed_without_parts_of_nothing(tmp_path, small_experiment):
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    still = replace(small_experiment, model=net, cases=(replace(small_experiment.cases[0], initial=(0.0,)),))
    board = compile_network(still, tmp_path / "decks", MACRO)
    comparison = compare(simulate(board, fidelity="behavioural"))
    assert comparison.parted == []
    assert np.isfinite(comparison.why.cases[0].largest_error)
    assert json.dumps(comparison.why.as_fields(), allow_nan=False)
    assert folder_key(tmp_path / "decks") == read_frame(tmp_path / "decks" / "vectors" / "sine.parquet").attrs["key"]
    assert load(tmp_path / "decks").subject == "test"
