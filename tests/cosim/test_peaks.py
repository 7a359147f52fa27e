"""Peaks of simulated waveforms, for a network whose states differ in size."""

import numpy as np
import pytest
import torch
from torch import nn

from circuits.engine.waveforms import Waveforms
from cosim.comparison.peaks import waveform_peaks
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case


def test_states_of_different_size_keep_their_own_scales(tmp_path):
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    seen = np.random.default_rng(0).uniform(-1, 1, (50, 2)) * [1.0, 10.0]
    Experiment(subject="two sizes", model=model, columns=("x0", "x1"),
               calibration=Calibration(inputs=np.empty((50, 0)), states=seen),
               cases=(Case(name="free", stimuli=(), initial=(0.5, 5.0), duration=0.01, samples=3),),
               ).compile(tmp_path, Options(fidelity="macro"))
    manifest = read_manifest(tmp_path)
    scales = manifest.scales
    assert scales.states[0] / scales.states[1] == pytest.approx(10, rel=0.1)
    states = np.array([[0.5, 5.0], [-0.8, 2.0], [0.1, -9.0]])
    data = np.column_stack([[0.0, 0.1, 0.2], states * scales.states])
    run = Waveforms(plot="Transient Analysis", title="", names=("time", "v(x0_p)", "v(x1_p)"), data=data)
    peaks = waveform_peaks(manifest, [run])
    assert peaks["v(x0_p)"] == pytest.approx(0.8 * scales.states[0], rel=1e-12)
    assert peaks["v(x1_p)"] == pytest.approx(9.0 * scales.states[1], rel=1e-12)
    with torch.no_grad():  # what the deck did not save comes from the network at the states
        derivatives = model(torch.from_numpy(states)).abs().amax(dim=0).numpy()
    assert [peaks[f"v(xboard.d{k})"] for k in range(2)] == pytest.approx(derivatives * scales.derivatives, rel=1e-9)
