"""`cosim report` and `write_report`: the page of any compiled and simulated folder, current or drawn again."""

import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.wires import Wires
from circuits.engine.ngspice import find_engine
from cosim import (
    Calibration,
    Case,
    CosimError,
    Experiment,
    Options,
    Sine,
    compare,
    compile_network,
    load,
    simulate,
    write_report,
)
from cosim.behavioural.simulation import folder_key
from cosim.errors import CosimWarning, ResultsError
from cosim.store.files import read_frame, write_frame
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.report import report_folder

MACRO = Options(fidelity="macro", all_cells=False)


def network(*widths, relu=True, bias=True, seed=3):
    torch.manual_seed(seed)
    layers = []
    for fed, out in pairwise(widths):
        layers += [nn.Linear(fed, out, bias=bias).double(), nn.ReLU()] if relu else [nn.Linear(fed, out, bias=bias).double()]
    return nn.Sequential(*(layers[:-1] if relu else layers))


def board(folder, model, n_external, cases=1, options=MACRO, duration=0.02):
    """A compiled network and its behavioural simulation."""
    n_states = model[-1].out_features
    rng = np.random.default_rng(1)
    experiment = Experiment(
        subject="a <board> & more", model=model,
        columns=(*(f"u{k}" for k in range(n_external)), *(f"x{k}" for k in range(n_states))),
        calibration=Calibration(inputs=rng.uniform(-1, 1, (200, n_external)), states=rng.uniform(-1, 1, (200, n_states))),
        cases=tuple(Case(name=f"case_{k}", stimuli=tuple(Sine(amplitude=0.5, bias=0.0, period=0.01 * (1 + k))
                                                         for _ in range(n_external)),
                         initial=tuple(0.1 + 0.01 * j for j in range(n_states)), duration=duration, samples=31)
                    for k in range(cases)))
    return simulate(compile_network(experiment, folder, options), fidelity="behavioural")


@pytest.fixture
def simulated(tmp_path):
    return board(tmp_path / "decks", network(2, 5, 3, 1), 1)


def pictures(page):
    return page.read_text().count("data:image/png;base64,")


@pytest.mark.parametrize(("model", "n_external", "cases", "expected"), [
    (network(2, 5, 3, 1), 1, 1, 5),  # waveforms, neurons, pre-charge, floor plan, conductances
    (network(3, 2, relu=False), 1, 1, 4),  # no hidden neurons
    (network(3, 4, 3, bias=False), 0, 5, 6),  # five cases on two pictures
    (network(2, *[3] * 8, 1), 1, 1, 5),  # more layers than are drawn
    (network(10, 33, 10), 0, 1, 5),  # layers of several arrays, more states than are drawn
])
def test_every_kind_of_board_has_its_page(tmp_path, model, n_external, cases, expected):
    page = write_report(board(tmp_path / "decks", model, n_external, cases))
    assert page == tmp_path / "decks" / "report.html"
    text = page.read_text()
    assert pictures(page) == expected
    assert "a &lt;board&gt; &amp; more" in text and "<board>" not in text
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)  # self-contained
    shown = re.findall(r"<td>(x\d+)</td>", text)
    n_states = model[-1].out_features
    assert shown[: n_states * cases] == [f"x{k}" for k in range(n_states)] * cases
    assert "the behavioural model, in torch" in text
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    assert ("of 10 states the 6 with the largest errors" in captions[0]) == (n_states == 10)


def test_the_page_says_what_the_manifest_and_the_comparison_say(simulated):
    manifest, comparison = simulated.compiled.manifest, compare(simulated)
    text = write_report(comparison).read_text()
    assert manifest.weights_sha256 in text
    for layer in manifest.board.layers:
        assert f"{layer.r_f / 1e3:.4g} kΩ" in text
    assert f"{1e3 * manifest.scales.states[0]:.4g} mV" in text
    assert f"{comparison.cases[0].errors[0].mre:.4%}" in text
    assert all(f"{name} {number}" in text for name, number in manifest.versions.items())
    assert manifest.solver.options in text
    assert "No line left its linear range." in text


def test_weights_that_were_not_reached_are_listed(tmp_path):
    with pytest.warns(CosimWarning, match="weights are not reached"):
        simulation = board(tmp_path / "decks", network(6, 12, 1), 5, options=replace(MACRO, wires=Wires(resistance=60.0)))
    text = write_report(simulation).read_text()
    unreached = [cell for layer in simulation.compiled.manifest.layers for cell in layer.unreached]
    assert len(unreached) > 12  # the wires are too resistive for this layer
    assert f"does not reach: {len(unreached)}, the worst 12" in text
    worst = max(abs(cell.residual) for cell in unreached)
    assert f"{1e6 * worst:.3g} µS" in text


def test_a_line_that_left_its_range_is_on_the_page(simulated):
    path = simulated.vectors["case_0"]
    frame = read_frame(path)
    key = frame.attrs.pop("key")
    frame.loc[frame["time"] > 0.01, "v(xboard.h1_3_p)"] = 0.61
    write_frame(path, frame, key)
    text = write_report(simulated).read_text()
    assert "case_0: hidden layer 1, neuron 3 reached 0.610 V" in text
    assert "No line left its linear range." not in text


def test_a_current_page_is_left_alone_and_a_changed_waveform_redraws_it(warm_shell, simulated):
    folder, path = simulated.compiled.folder, simulated.vectors["case_0"]
    assert "drawing the report" in warm_shell.succeeds("report", folder)
    page = folder / "report.html"
    before = page.stat().st_mtime_ns
    out = warm_shell.succeeds("report", folder)
    assert "report is current" in out and out.splitlines()[-1] == f"report: {page}"
    assert page.stat().st_mtime_ns == before
    assert "drawing the report" in warm_shell.succeeds("report", folder, "--force")
    frame = read_frame(path)
    key = frame.attrs.pop("key")
    frame["v(x0_p)"] *= 1.01
    write_frame(path, frame, key)
    old = page.read_text()
    assert "drawing the report" in warm_shell.succeeds("report", folder)
    assert page.read_text() != old


def test_a_changed_conductance_redraws_it(simulated):
    folder = simulated.compiled.folder
    page = write_report(simulated)
    made = page.stat().st_mtime_ns
    assert write_report(simulated).stat().st_mtime_ns == made
    file = next((folder / "conductances").glob("*.inc"))
    file.write_text(file.read_text().replace("=2e-05", "=3e-05", 1).replace("=2.0e-05", "=3e-05", 1) + "* changed\n")
    path = simulated.vectors["case_0"]
    frame = read_frame(path)
    frame.attrs = {}
    write_frame(path, frame, folder_key(folder))  # as if it had been simulated again
    assert write_report(simulated).stat().st_mtime_ns > made


def test_waveforms_and_page_may_be_anywhere(warm_shell, simulated):
    folder = simulated.compiled.folder
    shutil.move(folder / "vectors", warm_shell.folder / "waves")
    assert "case_0.parquet nor case_0.raw" in warm_shell.refuses("report", folder)
    out = warm_shell.succeeds("report", folder, "--waveforms", "waves", "--out", "pages/mine.html")
    assert out.splitlines()[-1] == "report: pages/mine.html"
    assert pictures(warm_shell.folder / "pages" / "mine.html") == 5
    assert not (folder / "report.html").exists()


def test_a_folder_of_several_boards_has_one_page(tmp_path, monkeypatch):
    for name in ("one", "other"):
        board(tmp_path / "all" / name, network(2, 3, 1, seed=len(name)), 1)
    page = report_folder(tmp_path / "all")
    text = page.read_text()
    assert pictures(page) == 10
    assert [title for title in re.findall(r"<h2>(.*?)</h2>", text) if title.startswith("Circuit against torch, o")] == [
        "Circuit against torch, one", "Circuit against torch, other"]
    monkeypatch.setattr("cosim.studies.base.sections.MOST_BOARDS", 1)
    few = report_folder(tmp_path / "all", force=True)
    assert pictures(few) == 5
    assert "Of 2 boards the 1 with the largest errors are drawn" in few.read_text()
    with pytest.raises(CosimError, match="2 boards; say with out where the page goes"):
        write_report(compare(tmp_path / "all"))


def test_what_was_not_simulated_is_said(tmp_path):
    board(tmp_path / "all" / "one", network(2, 3, 1), 1)
    shutil.rmtree(board(tmp_path / "all" / "other", network(2, 3, 1), 1).compiled.folder / "vectors")
    assert "Not simulated, so not compared: other case_0" in report_folder(tmp_path / "all").read_text()


def test_what_simulated_it_is_named(tmp_path):
    folder = board(tmp_path / "decks", network(2, 3, 1), 1).compiled.folder
    shutil.rmtree(folder / "vectors")
    subprocess.run([find_engine().path, "-b", "case_0.cir"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                   check=True, timeout=120)
    assert "<td>a simulation of your own, a raw file</td>" in write_report(folder).read_text()
    assert f"<td>ngspice {find_engine().version}</td>" in write_report(simulate(load(folder))).read_text()


def test_a_page_that_cannot_be_written_is_an_error(simulated, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be a folder for results"):
        write_report(simulated, tmp_path / "file" / "page.html")


def test_a_comparison_takes_no_waveforms(simulated):
    with pytest.raises(CosimError, match="knows its own waveforms"):
        write_report(compare(simulated), waveforms="elsewhere")


def test_an_unfinished_study_says_what_to_run(tmp_path, simulated):
    results = Lorenz96Results(root=tmp_path / "lorenz96")
    shutil.copytree(simulated.compiled.folder, results.decks("f6_seed0_trim"))
    assert results.is_there
    with pytest.raises(ResultsError, match="holds no board of a twin; run `make lorenz96` to its end"):
        report_folder(results.root)
    with pytest.raises(ResultsError, match="leave --waveforms out"):
        report_folder(results.root, waveforms=tmp_path)
