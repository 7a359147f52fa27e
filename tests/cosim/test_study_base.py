"""What every study has: boards that are compiled once, steps that know what they were made from, models trained once."""

import importlib.util
import re
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cosim import Case, CosimError, Options, Sine, Study
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.store.identity import identity
from cosim.store.sources import code_key, source_key
from cosim.studies.base.board import StudyBoard, compile_key, ensure_compiled
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.base.trained_once import trained_once

MACRO = Options(fidelity="macro", all_cells=False)
QUIET = Console(quiet=True)


@pytest.fixture
def board(small_experiment):
    return StudyBoard(name="small", experiment=lambda: small_experiment, options=MACRO)


@pytest.fixture
def says(capsys):
    """What was printed since it was asked last."""
    return lambda: capsys.readouterr().out


def test_paths_that_other_programs_read(tmp_path):
    results = Results(root=tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in (
        results.decks("current"), results.vectors("current", "sine"), results.waveforms("current_sine"), results.figures,
        results.metrics, results.report)] == ["decks/current", "vectors/current_sine.parquet", "waveforms/current_sine.parquet",
                                              "figures", "metrics.json", "report.html"]


def test_a_board_is_compiled_once(board, tmp_path, says):
    console = Console()
    ensure_compiled(board, tmp_path / "a", console)
    assert f"compiling small: {tmp_path / 'a'}" in says()
    compiled = ensure_compiled(board, tmp_path / "a", console)
    assert says() == ""
    assert list(compiled.cases) == ["sine"]
    deck = tmp_path / "a" / "sine.cir"
    whole = deck.read_text()
    deck.write_text(whole.replace(".tran", "* .tran"))  # somebody changed a file of the folder
    ensure_compiled(board, tmp_path / "a", console)
    assert "compiling small" in says()
    assert deck.read_text() == whole
    (tmp_path / "a" / "report.html").write_text("")  # what is no deck may lie there
    ensure_compiled(board, tmp_path / "a", console)
    assert says() == ""


@pytest.mark.parametrize("change", [
    lambda board, experiment: replace(board, options=replace(MACRO, time_scale=0.9)),
    lambda board, experiment: replace(board, experiment=lambda: replace(experiment, subject="another")),
    lambda board, experiment: replace(board, experiment=lambda: replace(experiment, cases=(replace(
        experiment.cases[0], initial=(np.nextafter(0.1, 1),)),))),
    lambda board, experiment: replace(board, experiment=lambda: replace(experiment, calibration=replace(
        experiment.calibration, states=experiment.calibration.states * (1 + 1e-15)))),
    lambda board, experiment: replace(board, code="cosim.studies.hp_memristor.experiment"),
], ids=["options", "subject", "last digit of a case", "last digit of the calibration", "code"])
def test_every_input_is_in_a_board_s_key(board, small_experiment, change):
    other = change(board, small_experiment)
    assert compile_key(other, other.experiment()) != compile_key(board, small_experiment)
    assert compile_key(replace(board), small_experiment) == compile_key(board, small_experiment)


def test_a_weight_is_in_a_board_s_key(board, small_experiment):
    before = compile_key(board, small_experiment)
    weight = small_experiment.model[0].weight
    with torch.no_grad():
        weight[0, 0] += 1e-15
        assert compile_key(board, small_experiment) != before
        weight[0, 0] -= 1e-15


def test_given_inputs_spare_making_the_experiment(board, small_experiment, tmp_path):
    made = []

    def experiment():
        made.append(1)
        return small_experiment

    known = replace(board, experiment=experiment, inputs=("version 1",))
    for _ in range(2):
        ensure_compiled(known, tmp_path, QUIET)
    assert len(made) == 1
    ensure_compiled(replace(known, inputs=("version 2",)), tmp_path, QUIET)
    assert len(made) == 2


class Wobble(Sine):
    """A stimulus of a user's own class: its code may change and leave no trace in its fields."""

    factor: ClassVar[float] = 1.0

    def _value(self, t):
        return self.factor * super()._value(t)


def test_a_stimulus_of_ones_own_has_the_identity_of_its_waveform(board, small_experiment, monkeypatch):
    def key():
        case = Case(name="sine", stimuli=(Wobble(),), initial=(0.1,), duration=0.05, samples=51)
        return compile_key(board, replace(small_experiment, cases=(case,)))

    before = key()
    assert key() == before
    monkeypatch.setattr(Wobble, "factor", 1.001)
    assert key() != before


def test_the_truth_is_in_a_board_s_key(board, small_experiment):
    keys = [compile_key(board, replace(small_experiment, truth=truth)) for truth in
            (None, {"sine": np.zeros(51)}, lambda case: np.zeros(51), lambda case: np.full(51, 1e-15))]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


class OwnCase(Case):
    """A case of a user's own class."""


def test_what_has_no_identity_is_compiled_each_time(board, small_experiment, tmp_path, says):
    case = OwnCase(name="sine", stimuli=(Sine(),), initial=(0.1,), duration=0.05, samples=51)
    experiment = replace(small_experiment, cases=(case,))
    other = replace(board, experiment=lambda: experiment)
    assert compile_key(other, experiment) is None
    for _ in range(2):
        ensure_compiled(other, tmp_path, Console())
        assert "compiling small" in says()


@dataclass
class Foreign:
    value: float = 1.0


@pytest.mark.parametrize(("one", "other"), [
    (1, 1.0), (True, 1), ((1, 2), (12,)), ((1, (2,)), (1, 2)), ("a", b"a"), ({"a": 1}, {"a": 2}), (None, ""),
    (np.zeros(3), np.zeros((3, 1))), (np.zeros(2), np.zeros(2, dtype=np.float32)), (0.1, np.nextafter(0.1, 1)),
    (Sine(), Sine(period=0.2)), (np.arange(5000.0), np.where(np.arange(5000) == 2500, -1.0, np.arange(5000.0))),
])
def test_different_values_have_different_identities(one, other):
    assert identity(one) != identity(other)
    assert identity(one) == identity(one)


@pytest.mark.parametrize("value", [Foreign(), object(), {1, 2}, np.array([object()]), lambda: 1])
def test_what_nobody_can_tell_apart_has_no_identity(value):
    with pytest.raises(TypeError, match="has no identity"):
        identity((1, value))


def test_force_does_every_step_again_but_the_compiler_s(board, tmp_path, says):
    results = Results(root=tmp_path)
    steps = ("simulated 1", "comparing small_sine", "drawing the report")
    for force, expected in ((False, steps), (False, ()), (True, steps)):
        pipeline = Pipeline(results=results, console=Console(), force=force)
        compiled = pipeline.compile([board])
        pipeline.simulate(compiled, [("small", "sine")])
        rows = pipeline.compare("small_sine", ["key"], "cosim.studies.base.case_rows",
                                lambda: (pd.DataFrame({"time": [0.0]}), [{"error": 0.1}]))
        pipeline.report(results.report, ["key"], lambda: results.report.write_text("page"))
        assert rows == [{"error": 0.1}]
        said = says()
        assert tuple(step for step in steps if step in said) == expected
    assert "compiling" not in said  # in the last round
    assert pd.read_parquet(tmp_path / "vectors" / "small_sine.parquet").attrs["key"]


def test_a_comparison_of_other_inputs_or_code_is_made_again(tmp_path):
    pipeline = Pipeline(results=Results(root=tmp_path), console=QUIET)
    made = []

    def work():
        made.append(1)
        return pd.DataFrame({"time": [0.0]}), [{"number": len(made)}]

    for inputs, code in ((["a"], "cosim.errors"), (["a"], "cosim.errors"), (["b"], "cosim.errors"), (["b"], "cosim.console")):
        rows = pipeline.compare("one", inputs, code, work)
    assert rows == [{"number": 3}]


def test_a_page_that_failed_is_drawn_again(tmp_path):
    pipeline, page = Pipeline(results=Results(root=tmp_path), console=QUIET), tmp_path / "report.html"

    def fails():
        raise ResultsError("no")

    with pytest.raises(ResultsError):
        pipeline.report(page, ["a"], fails)
    pipeline.report(page, ["a"], lambda: page.write_text("drawn"))
    assert page.read_text() == "drawn"


def test_a_name_that_is_no_file_s_is_refused(small_experiment):
    with pytest.raises(CosimError, match="study 'My pendulum': its name names files"):
        Study(name="My pendulum", experiment=lambda: small_experiment)


def test_own_sections_are_drawn_and_redrawn_when_their_code_changes(tmp_path, small_experiment, monkeypatch, says):
    file = tmp_path / "own_sections.py"

    def sections(title):
        file.write_text(f"from cosim import Section\n\ndef sections(comparison):\n    return [Section(title={title!r})]\n")
        spec = importlib.util.spec_from_file_location("own_sections", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.sections

    for title, word in (("First", "drawing the report"), ("First", "report is current"), ("Second", "drawing the report")):
        study = Study(name="small", experiment=lambda: small_experiment, options=MACRO, sections=sections(title))
        comparison = study.run(tmp_path / "run")
        assert word in says()
        page = (tmp_path / "run" / "report.html").read_text()
        assert f"<h2>{title}</h2>" in page
        assert page.count("data:image/png") == 0
    assert comparison.cases[0].errors[0].mre < 0.01


def test_code_of_ours_counts_with_what_it_imports_and_others_with_their_files(tmp_path):
    assert code_key(identity) == source_key("cosim.store.identity")
    file = tmp_path / "elsewhere.py"
    found = set()
    for text in ("def f():\n    return 1\n", "def f():\n    return 2\n"):
        file.write_text(text)
        spec = importlib.util.spec_from_file_location("elsewhere", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert code_key(module.f) == code_key(module.f)
        found.add(code_key(module.f))
    assert len(found) == 2
    typed = {}
    exec("def f():\n    return 1\n", typed)  # as in a session: no file
    typed["f"].__module__ = "session"
    assert code_key(typed["f"]) != code_key(typed["f"])


class TestTrainedOnce:
    """A model that is trained where nothing was kept, or something has changed."""

    @staticmethod
    def model(seed=0):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()

    @pytest.fixture
    def train(self):
        """Training that counts how often it is done."""
        def train(model):
            train.times += 1
            with torch.no_grad():
                model[0].weight += 1.0

        train.times = 0
        return train

    def test_the_second_time_the_kept_weights_are_given(self, tmp_path, train, capsys):
        first = trained_once(self.model(), train, tmp_path / "a" / "weights.npz")
        assert capsys.readouterr().err == ""
        second = trained_once(self.model(), train, tmp_path / "a" / "weights.npz")
        assert train.times == 1
        assert re.search(r"trained before, weights of .*weights\.npz; delete the file", capsys.readouterr().err)
        for name, values in first.state_dict().items():
            assert torch.equal(values, second.state_dict()[name])
        assert torch.equal(second[0].weight, self.model()[0].weight + 1.0)

    def test_other_initial_weights_files_or_a_damaged_file_train_again(self, tmp_path, train):
        path, data = tmp_path / "weights.npz", tmp_path / "data.csv"
        data.write_text("1")
        trained_once(self.model(), train, path, made_from=[data])
        trained_once(self.model(), train, path, made_from=[data])
        assert train.times == 1
        data.write_text("2")
        trained_once(self.model(), train, path, made_from=[data])
        assert train.times == 2
        trained_once(self.model(seed=1), train, path, made_from=[data])
        assert train.times == 3
        path.write_bytes(b"PK nonsense")
        trained_once(self.model(seed=1), train, path, made_from=[data])
        assert train.times == 4
        data.unlink()
        with pytest.raises(ResultsError, match=r"data\.csv, from which the model is made, cannot be read"):
            trained_once(self.model(), train, path, made_from=[data])
