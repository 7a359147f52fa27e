"""Decks with reduced arrays run, also where the integrator is slow beside the solver's first steps."""

import numpy as np
import pytest
import torch
from torch import nn

from circuits.engine.job import Job
from circuits.engine.run import run
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states
from training.stimuli import Sine


@pytest.mark.parametrize(("hidden", "seed"), [(3, 0), (4, 1), (6, 2), (8, 3), (12, 2)])
def test_a_small_board_with_a_slow_integrator_runs_past_the_toggle(tmp_path, hidden, seed):
    # With KLU's default pivots these five stopped 10 ns after the toggle, "timestep too small".
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 1)).double()
    rng = np.random.default_rng(0)
    case = Case(name="slow", stimuli=(Sine(amplitude=0.3, bias=0.0, period=1.0),), initial=(0.5,), duration=2.0, samples=100)
    experiment = Experiment(subject="slow", model=model, columns=("u0", "x0"), cases=(case,), calibration=Calibration(
        inputs=rng.uniform(-0.5, 0.5, (200, 1)), states=rng.uniform(-1, 1, (200, 1))))
    experiment.compile(tmp_path, Options(fidelity="macro"))
    waves = run(Job(deck=tmp_path / "slow.cir", timeout=60)).waveforms
    expected = reference(read_network(model), case)
    error = np.abs(twin_states(waves, read_manifest(tmp_path), case) - expected).max() / np.abs(expected).max()
    assert error < 0.01
