"""Training the neural ODE and the ResNet on a run of a system, in units in which every input and output is about 1.

The neural ODE is trained by multiple shooting: batches of windows of the trajectory start from the truth, and the loss is the
L1 over each window. Gradients come from the adjoint method (Chen et al., "Neural ordinary differential equations", NeurIPS
2018; torchdiffeq). A step can run several copies with fresh programming noise beside the exact network.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torchdiffeq import odeint_adjoint

from training.errors import TrainingError
from training.models.neural_ode import derivative_network, linear_layers, looks_linear, widths_of
from training.models.recurrent_resnet import recur
from training.noise import Layers, WeightNoise, apply_layers, program
from training.stimuli import Stimulus
from training.systems.base import System

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Optimiser steps on windows of a certain length."""

    steps: int  # optimiser steps
    window: int  # integration steps per window
    stride: int = 1  # grid steps per integration step
    batch: int = 1  # windows per step
    boards: int = 0  # noisy copies beside the exact network


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the trained weights, apart from the data; the seed makes a run repeatable on a machine."""

    widths: tuple[int, ...] = (2, 14, 14, 1)
    stages: tuple[Stage, ...]
    learning_rate: float  # Adam, at the start; falls to 1 % of it along a cosine
    noise: WeightNoise | None = None  # of the array that the network is trained for; None: of no array
    exact_weight: float = 3.0  # weight of the exact network's loss against the noisy copies' mean
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network in model units, and the mean loss without noise of its last 20 optimiser steps."""

    net: nn.Sequential
    loss: float  # L1 of a window divided by its duration: model units / s, or model units / time step for the ResNet
    steps: int


@dataclass(frozen=True, kw_only=True)
class _Units:
    """Full-scale values of the training run; the network is trained in parts of them."""

    inputs: Tensor  # (n_inputs + n_states,) model units
    outputs: Tensor  # (n_states,) model units per s, or per time step for the ResNet

    def layers(self, core: nn.Sequential) -> Layers:
        """The weights of the same network in model units, differentiable."""
        layers = _layers_of(core)
        layers[0] = (layers[0][0] / self.inputs, layers[0][1])
        layers[-1] = (layers[-1][0] * self.outputs[:, None], layers[-1][1] * self.outputs)
        return layers

    def fold(self, core: nn.Sequential) -> nn.Sequential:
        """The same network in model units."""
        net = derivative_network(widths_of(core), seed=0)
        with torch.no_grad():
            for layer, (weight, bias) in zip(linear_layers(net), self.layers(core), strict=True):
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
        return net


class _Boards(nn.Module):
    """The normalised dynamics of all boards. In forward(t, y), t is counted from the start of each window."""

    def __init__(self, layers: Layers, units: _Units, stimulus: Stimulus, starts: Tensor):
        super().__init__()
        self.layers, self.units, self.stimulus, self.starts = layers, units, stimulus, starts

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        u = self.stimulus(self.starts + t)[None, :, None].expand(*y.shape[:-1], 1)
        return apply_layers(self.layers, torch.cat([u, y], dim=-1) / self.units.inputs) * self.units.outputs


class _Optimiser:
    """Adam with a cosine learning rate and progress; a loss that is not finite is refused."""

    def __init__(self, net: nn.Sequential, recipe: Recipe, progress: Progress | None):
        self.adam = torch.optim.Adam(net.parameters(), lr=recipe.learning_rate)
        self.total, self.done, self.progress = sum(s.steps for s in recipe.stages), 0, progress
        floor = 0.01
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.adam, lambda k: floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * k / self.total))
        )
        self.losses: list[float] = []

    def step(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(f"training loss became {loss} at step {self.done}; lower the learning rate")
        self.adam.step()
        self.schedule.step()
        self.adam.zero_grad()
        self.done += 1
        self.losses = [*self.losses[-19:], loss]
        if self.progress is not None:
            self.progress(self.done, self.total, loss)

    def trained(self, net: nn.Sequential) -> Trained:
        return Trained(net=net, loss=sum(self.losses) / len(self.losses), steps=self.total)


def _layers_of(net: nn.Sequential) -> Layers:
    return [(layer.weight, layer.bias) for layer in linear_layers(net)]


@torch.no_grad()
def _full_scales(core: nn.Sequential, x: Tensor) -> list[Tensor]:
    """Full-scale input of every layer over the normalised training inputs x; the hidden neurons of a layer share it."""
    scales = [torch.ones(x.shape[-1], dtype=x.dtype)]
    for layer in list(core)[:-1]:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            scales.append(x.amax().clamp_min(1e-3))
    return scales


@contextmanager
def one_thread() -> Iterator[None]:
    """Run with a single thread: the tensors are too small for more, and the order of sums must not depend on the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def train_neural_ode(system: System, stimulus: Stimulus, recipe: Recipe, progress: Progress | None = None) -> Trained:
    """Fit dy/dt = net(u, y) to a run of the system with an L1 loss over trajectories.

    Args:
        progress: called as progress(step, total, loss) after every optimiser step.
    Raises:
        TrainingError: the loss is not finite, or a stage is longer than the run.
    """
    draw = torch.Generator().manual_seed(recipe.seed)
    grid = system.grid()
    t = np.linspace(grid[0], grid[-1], 501)
    run = system.solve(stimulus, t)
    times, truth = torch.from_numpy(t), torch.from_numpy(run.state)
    seen = torch.cat([torch.from_numpy(run.stimulus)[:, None], truth], dim=1)
    slopes = np.array([system.rhs(u, y) for u, y in zip(run.stimulus, run.state, strict=True)])
    units = _Units(inputs=seen.abs().amax(dim=0), outputs=torch.from_numpy(np.abs(slopes).max(axis=0)))
    core = derivative_network(recipe.widths, seed=recipe.seed)
    looks_linear(core, seed=recipe.seed)
    optimiser = _Optimiser(core, recipe, progress)
    for stage in recipe.stages:
        span = stage.window * stage.stride
        if span >= len(t):
            raise TrainingError(f"a window of {span} grid steps is longer than the run, {len(t) - 1}")
        if stage.boards and recipe.noise is None:
            raise TrainingError(f"a stage trains {stage.boards} noisy boards, but the recipe knows no array's noise; give it "
                                "noise=WeightNoise(...), or stages of no boards")
        for _ in range(stage.steps):
            first = torch.randint(0, len(t) - span, (stage.batch,), generator=draw)
            index = first + torch.arange(0, span + 1, stage.stride)[:, None]
            exact = _layers_of(core)
            layers = [(w[None], b[None]) for w, b in exact]
            if stage.boards:
                scales = _full_scales(core, seen / units.inputs)
                noisy = program(exact, scales, recipe.noise, boards=stage.boards, draw=draw)
                layers = [(torch.cat([w, v]), torch.cat([b, c])) for (w, b), (v, c) in zip(layers, noisy, strict=True)]
            # The adjoint method needs leaf tensors; the chain rule through the noise is applied afterwards.
            leaves = [(w.detach().requires_grad_(), b.detach().requires_grad_()) for w, b in layers]
            flat = tuple(p for layer in leaves for p in layer)
            field_ = _Boards(leaves, units, stimulus, times[first])
            y0 = truth[first].expand(1 + stage.boards, -1, -1)
            y = odeint_adjoint(field_, y0, times[index[:, 0]] - times[first[0]], method="rk4", adjoint_params=flat)
            # Per second, so that gradients, and with them Adam's steps, keep their size as windows grow.
            error = (y - truth[index][:, None]).abs().mean(dim=(0, 2, 3)) / (t[span] - t[0])
            loss = recipe.exact_weight * error[0] + (error[1:].mean() if stage.boards else 0.0)
            loss.backward()
            torch.autograd.backward([p for layer in layers for p in layer], [leaf.grad for leaf in flat])
            optimiser.step(float(error[0].detach()))
    return optimiser.trained(units.fold(core))


@one_thread()
def train_resnet(system: System, stimulus: Stimulus, recipe: Recipe, progress: Progress | None = None) -> Trained:
    """Fit y_{k+1} = y_k + net(u_k, y_k) to the same run, sampled on the system's grid; `rollout` runs the result.

    Raises:
        TrainingError: as for `train_neural_ode`, or a stage asks for programming noise, which is not supported here.
    """
    if any(stage.boards or stage.stride != 1 for stage in recipe.stages):
        raise TrainingError("the ResNet's stages take no boards and a stride of 1")
    draw = torch.Generator().manual_seed(recipe.seed)
    run = system.solve(stimulus)
    u, truth = torch.from_numpy(run.stimulus)[:, None], torch.from_numpy(run.state)
    units = _Units(
        inputs=torch.cat([u, truth], dim=1).abs().amax(dim=0), outputs=truth.diff(dim=0).abs().amax(dim=0)
    )
    core = derivative_network(recipe.widths, seed=recipe.seed)
    optimiser = _Optimiser(core, recipe, progress)
    for stage in recipe.stages:
        if stage.window >= len(u):
            raise TrainingError(f"a window of {stage.window} steps is longer than the run, {len(u) - 1}")
        for _ in range(stage.steps):
            first = torch.randint(0, len(u) - stage.window, (stage.batch,), generator=draw)
            index = first + torch.arange(stage.window + 1)[:, None]
            layers = [(w[None], b[None]) for w, b in units.layers(core)]
            y = recur(lambda x, layers=layers: apply_layers(layers, x[None])[0], u[index], truth[first])
            loss = (y - truth[index]).abs().mean() / stage.window
            loss.backward()
            optimiser.step(float(loss.detach()))
    return optimiser.trained(units.fold(core))
