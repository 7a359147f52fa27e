"""Boards of several arrays a layer: merged decks against decks that draw each array, as earlier versions wrote them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.merged import arrays_apart
from circuits.board import nets
from circuits.corners.corner import CORNERS
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.inspection import inspect_deck
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.errors import ResultsError
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
from cosim.studies.corners.folder import write_corner_folder
from training.stimuli import Sine


def board(widths, seed, sparse):
    """A network as torch draws it, or with nine of ten weights cut to a twentieth, whose cells are alike."""
    torch.manual_seed(seed)
    chain = [m for pair in pairwise(widths) for m in (nn.Linear(*pair), nn.ReLU())][:-1]
    if sparse:
        with torch.no_grad():
            for linear in chain[::2]:
                linear.weight[torch.rand_like(linear.weight) < 0.9] *= 0.05
    with torch.no_grad():
        chain[-1].weight *= 1000.0 if sparse else 50.0  # per second, so that states move in the 10 ms of a test
    states, external = widths[-1], widths[0] - widths[-1]
    rng = np.random.default_rng(seed)
    return Experiment(
        subject="merged", model=nn.Sequential(*chain).double(), columns=nets.standard_columns(external, states),
        calibration=Calibration(inputs=rng.uniform(-0.5, 0.5, (300, external)), states=rng.uniform(-0.5, 0.5, (300, states))),
        cases=(Case(name="sine", stimuli=tuple(Sine(amplitude=0.5, bias=0.0, period=5e-3) for _ in range(external)),
                    initial=tuple(0.1 * (1 + k) for k in range(states)), duration=0.01, samples=21),))


@pytest.mark.parametrize(("widths", "options", "sparse"), [
    ((2, 47, 60, 1), Options(fidelity="macro"), False),
    ((4, 40, 36, 3), Options(fidelity="macro", neuron="two_stage"), True),
], ids=["2-47-60-1", "4-40-36-3, two stages, alike cells"])
def test_a_merged_board_is_the_board_of_arrays(tmp_path, monkeypatch, widths, options, sparse):
    experiment, runs = board(widths, 7, sparse), {}
    for name in ("merged", "apart"):
        if name == "apart":
            monkeypatch.setattr("circuits.board.layer.layer_arrays", arrays_apart)
        experiment.compile(tmp_path / name, options)
        runs[name] = run(Job(deck=tmp_path / name / "sine.cir", timeout=120)).waveforms
    means = sum(path.read_text().count("\nb_mean") for path in (tmp_path / "merged" / "blocks").glob("arrays_*"))
    assert bool(means) == sparse
    merged, apart = runs["merged"], runs["apart"]
    states = [nets.state_vector(k) for k in range(widths[-1])]
    hidden = [nets.hidden_vector(2, k) for k in range(widths[2])]
    for vectors, limit in ((states, 1e-6), (hidden, 1e-5)):  # of full scale, 0.2 V
        for times in ([merged.time[0]], np.linspace(5e-3, 15e-3, 200)):  # operating point, integration
            one, other = (np.stack([waves.resample(vector, times) for vector in vectors]) for waves in (merged, apart))
            assert np.abs(one - other).max() < limit * 0.2
        assert np.ptp(other, axis=1).max() > 0.01
    elements = {name: sum(inspect_deck(tmp_path / name / "sine.cir").devices.values()) for name in runs}
    assert elements["merged"] < 0.95 * elements["apart"]


def test_a_folder_that_draws_each_array_still_runs_and_its_corners_ask_to_compile_again(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr("circuits.board.layer.layer_arrays", arrays_apart)
        board((2, 20, 1), 3, False).compile(tmp_path / "old", Options(fidelity="macro"))
    assert run(Job(deck=tmp_path / "old" / "sine.cir", timeout=60)).waveforms.time[-1] == pytest.approx(15e-3)
    with pytest.raises(ResultsError, match=r"blocks/arrays_output_macro.inc does not exist; compile again"):
        write_corner_folder(read_manifest(tmp_path / "old"), tmp_path / "hot", CORNERS["hot"])
