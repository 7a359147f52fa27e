"""What the fits share: a recording as normalised tensors, batches drawn from it, and the descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.errors import TrainingError, TwinError
from training.twins.recording import Recording
from training.twins.twin import State, Twin

Progress = Callable[[int, int, float], None]
FLOOR = 0.02  # part of the first learning rate at which the cosine ends


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Adam with a cosine learning rate and clipped gradients."""

    steps: int  # optimiser steps
    batch: int  # paths per step
    learning_rate: float
    clip: float = 1.0  # norm of the gradient
    seed: int = 0  # of batches and noise


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """A recording in the units of a twin."""

    x: Tensor  # (sequences, repeats, steps + 1, n_outputs)
    s: Tensor  # (sequences, steps, n_inputs)
    first: int  # row from which a twin may start: it has its delays there

    @classmethod
    def of(cls, recording: Recording, twin: Twin) -> Samples:
        """Raises TwinError where the recording is not of the twin's device."""
        if (recording.n_inputs, recording.n_outputs) != (twin.n_inputs, twin.n_outputs):
            raise TwinError(f"a recording of {recording.n_inputs} inputs and {recording.n_outputs} observables for a twin of "
                            f"{twin.n_inputs} and {twin.n_outputs}")
        if abs(recording.step_time - twin.step_time) > 1e-6 * twin.step_time:
            raise TwinError(f"a recording of steps of {recording.step_time:g} s for a twin of {twin.step_time:g} s; fit a twin "
                            "to it")
        first = 0 if recording.rested else twin.delays
        if recording.steps <= first:
            raise TwinError(f"sequences of {recording.steps} steps leave none behind {first} delays; use longer sequences")
        return cls(x=twin.normalised(torch.tensor(recording.states)), s=twin.drive(torch.tensor(recording.inputs)),
                   first=first)

    def paths(self, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random paths (count, steps + 1, n_outputs) and their inputs."""
        sequence = torch.randint(0, self.x.shape[0], (count,), generator=draw)
        repeat = torch.randint(0, self.x.shape[1], (count,), generator=draw)
        return self.x[sequence, repeat], self.s[sequence]

    def groups(self, count: int, repeats: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Some repeats of random sequences, (count, repeats, steps + 1, n_outputs), and inputs (count, steps, n_inputs)."""
        sequence = torch.randint(0, self.x.shape[0], (count,), generator=draw)
        repeat = torch.rand(count, self.x.shape[1], generator=draw).argsort(1)[:, :repeats]
        return self.x[sequence[:, None], repeat], self.s[sequence]


def free_run(twin: Twin, x: Tensor, s: Tensor, first: int, draw: torch.Generator) -> Tensor:
    """Rows first to the last (..., rows, n_outputs) of a twin that starts where x does; x (..., steps + 1, n_outputs)."""
    state: State = twin.rested(twin.histories(x[..., : first + 1, :])[..., -1, :], draw)
    return twin.trajectory(state, s[..., first:, :], draw)


def descend(parameters: Iterable[nn.Parameter], loss_of: Callable[[], Tensor], descent: Descent, name: str,
            progress: Progress | None = None) -> float:
    """Minimise; returns the mean loss of the last tenth of the steps.

    Raises:
        TrainingError: the loss is not finite.
    """
    parameters = list(parameters)
    adam = torch.optim.Adam(parameters, lr=descent.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda k: FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * k / descent.steps)))
    losses = []
    for k in range(descent.steps):
        adam.zero_grad()
        loss = loss_of()
        if not torch.isfinite(loss):
            raise TrainingError(f"{name}: the loss became {loss.item()} at step {k} of {descent.steps}; lower the learning "
                                f"rate, {descent.learning_rate:g}")
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, descent.clip)
        adam.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if progress is not None:
            progress(k + 1, descent.steps, losses[-1])
    last = losses[-max(1, descent.steps // 10):]
    return sum(last) / len(last) if last else math.nan
