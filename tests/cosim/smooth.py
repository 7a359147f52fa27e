"""Small networks with smooth functions, and their experiment."""

import numpy as np
import torch
from torch import nn

from cosim import Calibration, Case, Experiment

RUN = Case(name="run", stimuli=(), initial=(0.5, 0.5), duration=1.0, samples=51)


class Given(nn.Module):
    """Two layers of 6 neurons with a function between them."""

    def __init__(self, function, n=2, hidden=6):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.function = nn.Linear(n, hidden), nn.Linear(hidden, 2), function

    def forward(self, z):
        return self.last(self.function(self.first(z)))


class Cubed(nn.Module):
    """ReLU layers of the cubes of the states."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))

    def forward(self, y):
        return self.net(y**3)


def experiment(model, fit=None, **other):
    states = np.random.default_rng(0).uniform(-2, 2, (500, 2))
    given = {"columns": ("x0", "x1"), "calibration": Calibration(inputs=states[:, :0], states=states), "cases": (RUN,)}
    return Experiment(subject="smooth", model=model, fit=fit, **(given | other))


def between(activation):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 10), activation, nn.Linear(10, 2))
