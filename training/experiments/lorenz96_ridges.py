"""The chaotic ring by a ridge network, and how far any network predicts it: the median over starts that no training saw."""

from dataclasses import asdict
from functools import cache
from json import dumps, loads
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchdiffeq import odeint

from training import checkpoint
from training.errors import TrainingError
from training.experiments.lorenz96 import CHECKPOINTS
from training.experiments.lorenz96_evaluation import EXPONENTS, truth
from training.integrate import integrate
from training.lyapunov import ValidPrediction, attractor_spread, valid_prediction_time
from training.models.neural_ode import DrivenODE, widths_of
from training.ridges import RidgeRecipe, fit_ridges
from training.systems.lorenz96 import TRAINING_SAMPLES, Lorenz96, phases
from training.trainer import one_thread

STARTS = 10  # in the extrapolation span, evenly spaced: 1.2 time units apart


def ridges_path(system: Lorenz96, folder: Path = CHECKPOINTS) -> Path:
    """The ridge network's checkpoint."""
    return folder / f"{system.name}_ridges.npz"


def train_ridges(
    system: Lorenz96, *, recipe: RidgeRecipe | None = None, force: bool = False, folder: Path = CHECKPOINTS
) -> Path:
    """Fit a ridge network to the training span (two seconds) and save its checkpoint.

    The number of kinks is chosen on the validation samples, which end the training span; nothing later is looked at.

    Raises:
        TrainingError: the samples do not fit the recipe. CheckpointError: the file could not be written.
    """
    path = ridges_path(system, folder)
    if path.is_file() and not force:
        return path
    recipe, run = recipe or RidgeRecipe(), truth(system)
    fit = fit_ridges(run.time[:TRAINING_SAMPLES], phases(run.state)[0], recipe)
    provenance = {
        "system": system.name, "forcing": system.forcing, "start": list(system.start), "model": "ridges", "seed": recipe.seed,
        "widths": list(widths_of(fit.net)), "recipe": loads(dumps(asdict(recipe))), "kinks": fit.kinks,
        "directions": fit.directions, "quadratic_error": fit.quadratic_error, "validation_error": fit.validation_error,
        "training_samples": TRAINING_SAMPLES, "time_step": float(run.time[1] - run.time[0]),
        "versions": checkpoint.library_versions(),
    }  # fmt: skip
    return checkpoint.save(path, fit.net, provenance)


def later_starts(system: Lorenz96, count: int = STARTS) -> np.ndarray:
    """True samples (count, d) [model units], evenly spaced over the extrapolation span, from its first on."""
    later = phases(truth(system).state)[1]
    return later[np.arange(count) * (len(later) // count)]


@cache
def _true_runs(system: Lorenz96, count: int, duration: float, samples: int) -> np.ndarray:
    starts = later_starts(system, count)
    time = np.linspace(0.0, duration, samples)
    together = integrate(lambda _, x: system.rhs(x.reshape(starts.shape)).ravel(), starts.ravel(), time)
    return together.reshape(samples, *starts.shape)


def true_runs(system: Lorenz96, count: int, duration: float, samples: int) -> np.ndarray:
    """The equation from each of :func:`later_starts`, (samples, count, d) [model units]; do not write into it."""
    return _true_runs(system, count, duration, samples)


@one_thread()
@torch.no_grad()
def network_runs(net: nn.Sequential, starts: np.ndarray, duration: float, samples: int) -> np.ndarray:
    """The network from each start, (samples, count, d) [model units], by RK4 with two steps per sample."""
    fine = torch.linspace(0.0, duration, 2 * (samples - 1) + 1, dtype=torch.float64)
    return odeint(DrivenODE(net, None), torch.from_numpy(starts), fine, method="rk4")[::2].numpy()


def horizons(system: Lorenz96, runs: np.ndarray, wanted: np.ndarray, duration: float) -> list[ValidPrediction]:
    """Valid prediction time of every run; runs and wanted as (samples, count, d).

    Raises:
        TrainingError: the system has no positive exponent.
    """
    if system.name not in EXPONENTS:
        raise TrainingError(f"{system.name} has no Lyapunov time: its exponent is about 0; compare by L1 instead")
    time, spread = np.linspace(0.0, duration, len(runs)), attractor_spread(truth(system).state)
    return [valid_prediction_time(time, runs[:, k], wanted[:, k], spread=spread, exponent=EXPONENTS[system.name])
            for k in range(runs.shape[1])]


def field_error(net: nn.Sequential, system: Lorenz96) -> float:
    """RMS error of a slope [model units per time unit] on the extrapolation span."""
    later = phases(truth(system).state)[1]
    with torch.no_grad():
        return float(np.sqrt(np.square(net(torch.from_numpy(later)).numpy() - system.rhs(later)).mean()))
