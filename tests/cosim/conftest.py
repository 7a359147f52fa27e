"""A small network and its calibration, shared by the compiler's tests."""

import numpy as np
import pytest
import torch
from torch import nn

from cosim.case import Case
from cosim.experiment import Experiment
from cosim.scaling import Calibration
from training.stimuli import STIMULI


@pytest.fixture(scope="session")
def small_model():
    """2-5-3-1, float64, dy/dt of order one."""
    torch.manual_seed(11)
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        model[-1].weight *= 4
    return model


@pytest.fixture(scope="session")
def small_experiment(small_model):
    """The sine, 50 ms, from 0.1."""
    sine = STIMULI["sine"]
    times = np.linspace(0, 0.1, 101)
    states = np.linspace(-0.4, 0.4, 101)[:, None]
    return Experiment(
        subject="test",
        model=small_model,
        columns=("u0", "x0"),
        calibration=Calibration(inputs=sine(times)[:, None], states=states),
        cases=(Case(name="sine", stimuli=(sine,), initial=(0.1,), duration=0.05, samples=51),),
    )
