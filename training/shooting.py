"""Training an autonomous neural ODE dx/dt = net(x) on the samples of a trajectory, for a circuit to run later.

First the network is fitted to slopes: a quintic spline through the samples gives dx/dt at every sample. Then follows multiple
shooting (Bock, Plitt 1984): windows start from the samples, are integrated by RK4 and compared by L1 and, where a stage asks
for it, by soft-DTW. Only the samples are used, never the equation. The one thing that the recipe knows about the system is that
its sites form a ring of equals: a rotated trajectory is a trajectory too, so that one run becomes six.

Noise is the regulariser. It is added to the input of every layer in the slope fit, and to the start of every window in
shooting. It is what the circuit will do to the network, and it spreads the work over the neurons. Weights are limited to a few
times the RMS value of their layer, so that the conductance window is not spent on a single large weight.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import make_interp_spline
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from training.errors import TrainingError
from training.models.neural_ode import derivative_network, linear_layers
from training.soft_dtw import soft_dtw
from training.trainer import one_thread

Progress = Callable[[str, int, int, float], None]


@dataclass(frozen=True, kw_only=True)
class SlopeFit:
    """Fit of the network to the slopes of the spline."""

    steps: int = 60000  # optimiser steps
    batch: int = 256  # samples per step
    learning_rate: float = 1e-2
    noise: float = 0.001  # standard deviation of the noise on every layer's input, as a part of the layer's full scale


@dataclass(frozen=True, kw_only=True)
class Shooting:
    """Optimiser steps on windows of a certain length."""

    steps: int  # optimiser steps
    window: int  # integration steps per window
    stride: int = 1  # samples per integration step
    batch: int = 24  # windows per step
    learning_rate: float = 3e-4
    noise: float = 0.002  # standard deviation of the noise on a window's start, as a part of full scale
    soft_dtw: float = 0.0  # weight of soft-DTW per sample (of every fourth sample) beside L1, both in full scales
    adjoint: bool = False  # gradients by the adjoint method and not through the RK4 steps: the steps need no memory, but at
    # these sizes it takes four times as long


@dataclass(frozen=True, kw_only=True)
class ShootingRecipe:
    """Everything that decides the trained weights, apart from the data."""

    widths: tuple[int, ...] = (6, 64, 64, 6)  # states, hidden layers, states
    slopes: SlopeFit = SlopeFit()
    stages: tuple[Shooting, ...]
    slope_weight: float = 2.0  # weight of the RMS error of the slopes, as a part of full scale, during shooting
    gain: float = 2.0  # initial weights, divided by torch's default; kinks that are spread over the attractor fit slopes better
    weight_decay: float = 1e-3  # of AdamW, decoupled
    peak: float = 6.0  # largest |weight|, divided by the RMS of its layer
    rotate: bool = True  # train on all rotations of the ring
    validation: int = 300  # samples at the end of the training span that the weights never see
    check_every: int = 25  # optimiser steps between two validations during shooting
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A network in model units, and the figures by which it was selected, from free runs by RK4 at the sample spacing."""

    net: nn.Sequential
    validation_l1: float  # model units, over the validation samples
    interpolation_l1: float  # model units, over the whole training span from its first sample
    steps: int  # optimiser steps in all


class _Field(nn.Module):
    """The network with its full scales; forward(t, x) is in model units."""

    def __init__(self, core: nn.Sequential, x_scale: Tensor, slope_scale: Tensor):
        super().__init__()
        self.core, self.x_scale, self.slope_scale = core, x_scale, slope_scale

    def forward(self, t, x: Tensor) -> Tensor:
        return self.core(x / self.x_scale) * self.slope_scale

    def noisy(self, x: Tensor, noise: float, draw: torch.Generator) -> Tensor:
        """Slopes, as parts of full scale, with noise on the input of every layer."""
        x = x / self.x_scale
        for k, layer in enumerate(linear_layers(self.core)):
            x = x if k == 0 else torch.relu(x)
            x = x + noise * x.detach().abs().amax() * torch.randn(x.shape, generator=draw, dtype=x.dtype)
            x = layer(x)
        return x

    def fold(self) -> nn.Sequential:
        """The same network with the scales folded into its weights."""
        layers = linear_layers(self.core)
        net = derivative_network((layers[0].in_features, *(layer.out_features for layer in layers)), seed=0)
        net.load_state_dict(self.core.state_dict())
        with torch.no_grad():
            net[0].weight.div_(self.x_scale)
            net[-1].weight.mul_(self.slope_scale)
            net[-1].bias.mul_(self.slope_scale)
        return net


class _Steps:
    """Steps of AdamW on a one-cycle schedule, with limited weights; a loss that is not finite is refused."""

    def __init__(self, field: _Field, recipe: ShootingRecipe, stage: str, steps: int, rate: float, progress: Progress | None):
        self.field, self.recipe, self.stage, self.total, self.progress, self.done = field, recipe, stage, steps, progress, 0
        self.adam = torch.optim.AdamW(field.parameters(), lr=rate, weight_decay=recipe.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.adam, rate, total_steps=steps)

    def step(self, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise TrainingError(f"{self.stage}: loss became {loss.item()} at step {self.done}; lower the learning rate")
        self.adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.field.parameters(), 1.0)
        self.adam.step()
        self.schedule.step()
        with torch.no_grad():
            for layer in linear_layers(self.field.core):
                ceiling = self.recipe.peak * layer.weight.square().mean().sqrt()
                layer.weight.clamp_(-ceiling, ceiling)
        self.done += 1
        if self.progress is not None:
            self.progress(self.stage, self.done, self.total, float(loss.detach()))


class _Samples:
    """The training samples, the slopes of their spline, and random rotated windows of them."""

    def __init__(self, time: np.ndarray, state: np.ndarray, recipe: ShootingRecipe):
        seen = len(time) - recipe.validation
        self.time, self.state = torch.from_numpy(time), torch.from_numpy(state)
        spline = make_interp_spline(time[:seen], state[:seen], k=5)
        self.slope = torch.from_numpy(spline.derivative()(time[:seen]))
        self.seen, self.recipe = seen, recipe
        self.draw = torch.Generator().manual_seed(recipe.seed)

    def windows(self, batch: int, window: int, stride: int) -> tuple[Tensor, Tensor]:
        """Random windows (window + 1, batch, d) of samples a stride apart, and the slopes (batch, d) at their starts."""
        last = self.seen - window * stride
        if last < 1:
            raise TrainingError(f"a window of {window * stride} samples is longer than the {self.seen} to train on; shorten it")
        first = torch.randint(0, last, (batch,), generator=self.draw)
        d = self.state.shape[1]
        turn = torch.randint(0, d if self.recipe.rotate else 1, (batch,), generator=self.draw)
        site = (torch.arange(d) + turn[:, None]) % d
        index = first + torch.arange(0, window * stride + 1, stride)[:, None]
        return self.state[index].gather(2, site.expand(window + 1, -1, -1)), self.slope[first].gather(1, site)


@torch.no_grad()
def _free_runs(field: _Field, samples: _Samples) -> tuple[float, float]:
    """Validation L1 and interpolation L1; infinite when a run leaves the finite numbers."""
    starts = torch.stack([samples.state[samples.seen], samples.state[0]])
    run = odeint(field, starts, samples.time, method="rk4")
    validation = samples.state[samples.seen :]
    l1 = ((run[: len(validation), 0] - validation).abs().mean(), (run[:, 1] - samples.state).abs().mean())
    return tuple(float(torch.nan_to_num(v, nan=torch.inf)) for v in l1)


def _rms(error: Tensor) -> Tensor:
    """Root mean square of all entries. Its gradient does not fade as the fit gets close, as that of a mean square does."""
    return error.square().mean().sqrt()


def _shooting_loss(field: _Field, samples: _Samples, stage: Shooting, recipe: ShootingRecipe) -> Tensor:
    truth, _ = samples.windows(stage.batch, stage.window, stage.stride)
    anywhere, slope = samples.windows(recipe.slopes.batch, 0, 1)
    noise = stage.noise * torch.randn(truth[0].shape, generator=samples.draw, dtype=truth.dtype)
    at = samples.time[: stage.window * stage.stride + 1 : stage.stride]
    solver = odeint_adjoint if stage.adjoint else odeint
    run = solver(field, truth[0] + noise * field.x_scale, at, method="rk4")
    scaled, target = run / field.x_scale, truth / field.x_scale
    loss = (scaled - target).abs().mean() + recipe.slope_weight * _rms(field(0.0, anywhere[0]) - slope) / field.slope_scale
    if stage.soft_dtw:
        aligned = soft_dtw(scaled[::4], target[::4], gamma=1e-3)
        loss = loss + stage.soft_dtw * aligned.mean() / len(scaled[::4])
    return loss


@one_thread()
def train_by_shooting(time: np.ndarray, state: np.ndarray, recipe: ShootingRecipe, progress: Progress | None = None) -> Shot:
    """Fit dx/dt = net(x) to the samples of a trajectory and keep the weights with the best free runs.

    The score of a set of weights is the mean of the L1 of two free runs inside the given samples: over the validation samples,
    and over all samples from the first on.

    Args:
        time: (m,) [time units], evenly spaced, the training span alone.
        state: (m, d) [model units] at these times.
        recipe: what decides the weights.
        progress: called as progress(stage, step, total, loss) after every optimiser step.
    Raises:
        TrainingError: shapes do not fit, a window is longer than the span, or a loss is not finite.
    """
    d = state.shape[-1]
    if state.shape != (len(time), d) or recipe.widths[0] != d or recipe.widths[-1] != d:
        raise TrainingError(f"times {np.shape(time)}, states {state.shape} and widths {recipe.widths} do not fit together")
    if not 2 <= recipe.validation < len(time) - 6:
        raise TrainingError(f"validation = {recipe.validation} of {len(time)} samples; give 2 or more and leave 7 or more")
    samples = _Samples(time, state, recipe)
    core = derivative_network(recipe.widths, seed=recipe.seed)
    with torch.no_grad():
        for layer in linear_layers(core):
            layer.weight.mul_(recipe.gain)
    field = _Field(core, samples.state[: samples.seen].abs().max(), samples.slope.abs().max())
    fit = recipe.slopes
    steps = _Steps(field, recipe, "slopes", fit.steps, fit.learning_rate, progress)
    for _ in range(fit.steps):
        truth, slope = samples.windows(fit.batch, 0, 1)
        steps.step(_rms(field.noisy(truth[0], fit.noise, samples.draw) - slope / field.slope_scale))
    best, kept = _free_runs(field, samples), {k: v.clone() for k, v in core.state_dict().items()}
    for number, stage in enumerate(recipe.stages):
        steps = _Steps(field, recipe, f"shooting {number + 1}", stage.steps, stage.learning_rate, progress)
        for k in range(stage.steps):
            steps.step(_shooting_loss(field, samples, stage, recipe))
            if (k + 1) % recipe.check_every == 0 or k + 1 == stage.steps:
                score = _free_runs(field, samples)
                if sum(score) < sum(best):
                    best, kept = score, {k: v.clone() for k, v in core.state_dict().items()}
    core.load_state_dict(kept)
    total = fit.steps + sum(s.steps for s in recipe.stages)
    return Shot(net=field.fold(), validation_l1=best[0], interpolation_l1=best[1], steps=total)
