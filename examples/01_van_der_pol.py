"""Your own model: a module trained here on the driven Van der Pol oscillator, and the runs that the board shall do.

    .venv/bin/cosim compile examples/01_van_der_pol.py --out runs/van_der_pol/decks --fidelity macro
    .venv/bin/cosim simulate runs/van_der_pol/decks --out runs/van_der_pol/vectors
    .venv/bin/cosim compare runs/van_der_pol/decks

The same in Python, with ``path`` the path of this file::

    from cosim import Options, compare, compile_network, load_experiment, simulate
    compiled = compile_network(load_experiment(path), "runs/van_der_pol/decks", Options(fidelity="macro"))
    print(compare(simulate(compiled)))
"""

import numpy as np
import torch
from torch import nn

from cosim import Calibration, Case, Experiment, Sine

PUSH = Sine(amplitude=0.5, bias=0.0, period=7.0)  # u, model units and seconds


class Oscillator(nn.Module):
    """(u, position, speed) -> their derivatives."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 24), nn.Linear(24, 24), nn.Linear(24, 2)

    def forward(self, z):
        return self.last(torch.relu(self.second(torch.relu(self.first(z)))))


def experiment():
    torch.manual_seed(0)
    model = Oscillator().double()
    adam = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(800):
        z = (2 * torch.rand(256, 3, dtype=torch.float64) - 1) * torch.tensor([0.6, 2.4, 2.8])
        u, x, v = z.T
        loss = nn.functional.mse_loss(model(z), torch.stack([v, (1 - x**2) * v - x + u], dim=1))
        adam.zero_grad()
        loss.backward()
        adam.step()
    seen = np.random.default_rng(0).uniform(-1, 1, (2000, 3)) * [0.5, 2.2, 2.7]
    return Experiment(subject="Van der Pol oscillator", model=model, columns=("u0", "x0", "x1"),
                      calibration=Calibration(inputs=seen[:, :1], states=seen[:, 1:]),
                      cases=(Case(name="pushed", stimuli=(PUSH,), initial=(2.0, 0.0), duration=7.0, samples=200),))
