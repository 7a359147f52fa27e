"""A study of your own: the driven Van der Pol oscillator, trained here, compiled, simulated and compared with torch.

    .venv/bin/python examples/01_van_der_pol.py    # writes runs/van_der_pol/report.html

It prints the error table and ends with exit code 1 when the limit at its end is exceeded; a second run does only what changed.
`cosim compile` takes the same file, for its function experiment().
"""

import numpy as np
import torch
from torch import nn

from cosim import Calibration, Case, Experiment, Gate, Options, Sine, Study, trained_once

PUSH = Sine(amplitude=0.5, bias=0.0, period=7.0)  # u, model units and seconds
REACH = (0.6, 2.4, 2.8)  # of u, position and speed in training


class Oscillator(nn.Module):
    """(u, position, speed) -> the derivatives of position and speed."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 24), nn.Linear(24, 24), nn.Linear(24, 2)

    def forward(self, z):
        return self.last(torch.relu(self.second(torch.relu(self.first(z)))))


def train(model):
    adam = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(800):
        z = (2 * torch.rand(256, 3, dtype=torch.float64) - 1) * torch.tensor(REACH)
        u, x, v = z.T
        loss = nn.functional.mse_loss(model(z), torch.stack([v, (1 - x**2) * v - x + u], dim=1))
        adam.zero_grad()
        loss.backward()
        adam.step()


def experiment():
    torch.manual_seed(0)
    model = trained_once(Oscillator().double(), train, "runs/van_der_pol/weights.npz")
    seen = np.random.default_rng(0).uniform(-1, 1, (2000, 3)) * [0.5, 2.2, 2.7]  # the scales are chosen from it
    return Experiment(subject="Van der Pol oscillator", model=model, columns=("u0", "x0", "x1"),
                      calibration=Calibration(inputs=seen[:, :1], states=seen[:, 1:]),
                      cases=(Case(name="pushed", stimuli=(PUSH,), initial=(2.0, 0.0), duration=7.0, samples=200),))


STUDY = Study(name="van_der_pol", experiment=experiment, options=Options(fidelity="macro"), gate=Gate(max_error=0.005))

if __name__ == "__main__":
    raise SystemExit(STUDY.main())
