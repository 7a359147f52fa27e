"""The documented example of one's own model, through the Python interface: trained, compiled, simulated, compared."""

from pathlib import Path

import numpy as np

from circuits.engine.job import Job
from circuits.engine.run import run
from cosim.compiler.options import Options
from cosim.experiment import load_experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states

EXAMPLE = Path(__file__).parents[2] / "examples" / "01_van_der_pol.py"


def test_the_board_of_the_example_follows_its_module(tmp_path):
    example = load_experiment(EXAMPLE)
    example.compile(tmp_path, Options(fidelity="macro"))
    (case,) = example.cases
    waveforms = run(Job(deck=tmp_path / "pushed.cir")).waveforms
    twin, torch_ = twin_states(waveforms, read_manifest(tmp_path), case), reference(example.read(), case)
    assert twin.shape == torch_.shape == (200, 2)
    assert np.ptp(torch_, axis=0).min() > 1  # it swings
    # 1 % of full scale: lags of the wide layer and a gain of 50 in the output layer, where the HP twin has 0.1 %
    assert np.abs(twin - torch_).max() < 0.01 * np.abs(torch_).max()
