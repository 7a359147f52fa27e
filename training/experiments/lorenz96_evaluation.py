"""Free runs of a Lorenz96 neural ODE against the truth: L1 over both spans, and valid prediction times."""

from functools import cache

import numpy as np
import torch
from torch import nn
from torchdiffeq import odeint

from training.errors import TrainingError
from training.lyapunov import ValidPrediction, attractor_spread, valid_prediction_time
from training.models.neural_ode import DrivenODE
from training.systems.base import Trajectory
from training.systems.lorenz96 import TRAINING_SAMPLES, Lorenz96, phases
from training.trainer import one_thread

# Largest Lyapunov exponent where it is positive [1 / time unit]: `largest_exponent` over 2000 time units gives 0.968 +- 0.016,
# an ensemble of 200 runs of 60 time units by RK4 0.958 +- 0.006.
EXPONENTS = {"lorenz96_f8": 0.96}


@cache
def truth(system: Lorenz96) -> Trajectory:
    """The published run, solved once per process; do not write into its arrays."""
    return system.solve()


@one_thread()
@torch.no_grad()
def free_runs(net: nn.Sequential, system: Lorenz96) -> tuple[np.ndarray, np.ndarray]:
    """Free runs of a neural ODE over both spans, (1800, d) and (600, d) [model units], each from its first true sample.

    RK4 with four steps per sample runs both spans in a batch and takes 6 s. `models.neural_ode.solve` at rtol 1e-8 takes two
    minutes, because it searches for the kink of every ReLU. The two differ by a mean of 0.002 model units over 36 time units.
    """
    run = truth(system)
    spans = phases(run.state)
    fine = np.linspace(0.0, run.time[TRAINING_SAMPLES - 1], 4 * (TRAINING_SAMPLES - 1) + 1)
    starts = torch.from_numpy(np.stack([x[0] for x in spans]))
    states = odeint(DrivenODE(net, None), starts, torch.from_numpy(fine), method="rk4")[::4].numpy()
    return states[:, 0], states[: len(spans[1]), 1]


def l1_of(net: nn.Sequential, system: Lorenz96) -> tuple[float, float]:
    """L1 (interpolation, extrapolation) of a neural ODE [model units]."""
    true = phases(truth(system).state)
    return tuple(float(np.abs(p - q).mean()) for p, q in zip(free_runs(net, system), true, strict=True))


@one_thread()
@torch.no_grad()
def valid_predictions(net: nn.Sequential, system: Lorenz96, *, samples: int = 366) -> list[ValidPrediction]:
    """Valid prediction times from true samples of the extrapolation span, from its first sample on.

    There is a start every 20 samples as long as `samples` remain; 366 are seven Lyapunov times at F = 8. The runs are
    integrated by RK4 at the sample spacing.

    Raises:
        TrainingError: the system has no positive exponent in `EXPONENTS`.
    """
    if system.name not in EXPONENTS:
        raise TrainingError(f"{system.name} has no Lyapunov time: its exponent is about 0; compare by L1 instead")
    run = truth(system)
    spread, state = attractor_spread(run.state), phases(run.state)[1]
    starts = np.arange(0, len(state) - samples + 1, 20)
    time = torch.from_numpy(run.time[:samples])
    runs = odeint(DrivenODE(net, None), torch.from_numpy(state[starts]), time, method="rk4").numpy()
    return [
        valid_prediction_time(time.numpy(), runs[:, k], state[s : s + samples], spread=spread, exponent=EXPONENTS[system.name])
        for k, s in enumerate(starts)
    ]
