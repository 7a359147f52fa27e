"""Training the discrete baselines on the samples on which the neural ODE is trained, by the same rules.

Windows of growing length are run freely from a true sample and compared by L1. The rotations of the ring, the noise on the
start, the validation samples and the score that chooses the weights are those of `training.shooting`.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.errors import TrainingError
from training.models.recurrent import Recurrent
from training.trainer import one_thread


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Optimiser steps on free-running windows of a certain length."""

    steps: int  # optimiser steps
    window: int  # samples that are predicted
    batch: int  # windows per step
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class BaselineRecipe:
    """Everything that decides the trained weights, apart from the data and the model."""

    stages: tuple[Windows, ...] = (
        Windows(steps=10000, window=1, batch=128, learning_rate=5e-3),
        Windows(steps=1500, window=8, batch=24, learning_rate=3e-3),
        Windows(steps=300, window=40, batch=8, learning_rate=2e-3),
        Windows(steps=150, window=150, batch=6, learning_rate=1e-3),
    )
    noise: float = 0.003  # standard deviation of the noise on a window's start, as a part of full scale
    weight_decay: float = 1e-2  # of AdamW, decoupled
    rotate: bool = True  # train on all rotations of the ring
    validation: int = 300  # samples at the end of the training span that the weights never see
    check_every: int = 75  # optimiser steps between two validations


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Trained networks of a kind, one per seed, and the figures by which their weights were selected."""

    model: Recurrent
    full_scale: float  # model units per normalised unit
    validation_l1: np.ndarray  # (seeds,) model units
    interpolation_l1: np.ndarray  # (seeds,) model units

    @one_thread()
    @torch.no_grad()
    def free_run(self, start: np.ndarray, samples: int) -> np.ndarray:
        """Free run (seeds, samples, d) [model units] from a true sample (d,), which is its first row."""
        x0 = torch.from_numpy(start / self.full_scale).expand(len(self.model.seeds), 1, -1)
        return self.full_scale * self.model.rollout(x0, samples)[:, :, 0].transpose(0, 1).numpy()


@torch.no_grad()
def _free_runs(model: Recurrent, x: Tensor, seen: int) -> Tensor:
    """Validation and interpolation L1, (2, seeds), normalised; infinite when a run leaves the finite numbers."""
    starts = torch.stack([x[seen], x[0]]).expand(len(model.seeds), 2, -1)
    run = model.rollout(starts, len(x))
    held, whole = run[: len(x) - seen, :, 0] - x[seen:, None], run[:, :, 1] - x[:, None]
    return torch.nan_to_num(torch.stack([held.abs().mean((0, 2)), whole.abs().mean((0, 2))]), nan=torch.inf)


def _clip(model: Recurrent, limit: float) -> None:
    """Clip the gradient of each seed to a norm of at most `limit`, as if the seed were alone."""
    square = sum(p.grad.square().flatten(1).sum(1) for p in model.parameters())
    factor = (limit / (square.sqrt() + 1e-12)).clamp_max(1.0)
    for p in model.parameters():
        p.grad.mul_(factor[:, None, None])


@one_thread()
def train_baseline(
    model: Recurrent, state: np.ndarray, recipe: BaselineRecipe, progress: Callable[[int, int, float], None] | None = None
) -> Baseline:
    """Fit a baseline to the samples of a trajectory and keep, for each seed, the weights with the best free runs.

    Args:
        state: (m, d) [model units], the training span alone.
        progress: called as progress(step, total, mean loss) after every optimiser step.
    Raises:
        TrainingError: the states do not fit the model, a window is longer than the span, or a loss is not finite.
    """
    seen, d = len(state) - recipe.validation, model.d
    longest = max(stage.window for stage in recipe.stages)
    if state.ndim != 2 or state.shape[1] != d or recipe.validation < 2 or longest >= seen:
        raise TrainingError(
            f"states {state.shape} for a model of {d} states, {recipe.validation} of them for validation, windows of up to "
            f"{longest}; give (samples, {d}) with 2 or more for validation and more than a window for training"
        )
    full_scale = float(np.abs(state[:seen]).max())
    x = torch.from_numpy(state / full_scale)
    draw = torch.Generator().manual_seed(0)  # all seeds see the same windows, so that a seed does not depend on its neighbours
    best = torch.full((2, len(model.seeds)), torch.inf, dtype=x.dtype)
    kept = copy.deepcopy(model.state_dict())
    done, total = 0, sum(stage.steps for stage in recipe.stages)
    for stage in recipe.stages:
        adam = torch.optim.AdamW(model.parameters(), lr=stage.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(adam, stage.learning_rate, total_steps=stage.steps)
        for k in range(stage.steps):
            first = torch.randint(0, seen - stage.window, (stage.batch,), generator=draw)
            turn = torch.randint(0, d if recipe.rotate else 1, (stage.batch,), generator=draw)
            site = (torch.arange(d) + turn[:, None]) % d
            truth = x[first + torch.arange(stage.window + 1)[:, None]].gather(2, site.expand(stage.window + 1, -1, -1))
            noisy = truth[0] + recipe.noise * torch.randn(truth[0].shape, generator=draw, dtype=x.dtype)
            run = model.rollout(noisy.expand(len(model.seeds), -1, -1), stage.window + 1)[1:]
            error = (run - truth[1:, None]).abs().mean((0, 2, 3))
            if not torch.isfinite(error).all():
                raise TrainingError(f"{model.kind}: loss became {error.tolist()} at step {done}; lower the learning rate")
            adam.zero_grad()
            error.sum().backward()
            _clip(model, 1.0)
            adam.step()
            schedule.step()
            done += 1
            if progress is not None:
                progress(done, total, float(error.detach().mean()))
            if stage.window > 1 and ((k + 1) % recipe.check_every == 0 or k + 1 == stage.steps):
                score = _free_runs(model, x, seen)
                better = score.sum(0) < best.sum(0)
                best = torch.where(better, score, best)
                for name, value in model.state_dict().items():
                    kept[name][better] = value[better]
    model.load_state_dict(kept)
    l1 = full_scale * best.numpy()
    return Baseline(model=model, full_scale=full_scale, validation_l1=l1[0], interpolation_l1=l1[1])
