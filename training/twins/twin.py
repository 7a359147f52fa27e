"""What every twin can do: start, take a step, run a sequence of inputs.

A twin works in normalised units: observables less their mean over their standard deviation, inputs over half their range, and
time in steps of the recording. Its state y holds the newest observables first and then those of one, two, ... steps before;
these delayed values are held during a step, as the input is. Auxiliary states a, where a twin has them, follow below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import TwinError
from training.twins.recording import Recording

STARTS = 256  # initial states that a twin keeps


class State(NamedTuple):
    """State of any number of copies of a twin, normalised."""

    y: Tensor  # (..., (delays + 1) * n_outputs), newest first
    a: Tensor  # (..., n_auxiliaries)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale:
    """Units of a twin."""

    x_mean: Tensor  # (n_outputs,) device units
    x_std: Tensor  # (n_outputs,) device units
    s_low: Tensor  # () device units
    s_high: Tensor  # ()
    step_time: float  # s

    @classmethod
    def of(cls, recording: Recording) -> Scale:
        """Mean and standard deviation of the observables; the range that the device was driven over."""
        flat = recording.states.reshape(-1, recording.n_outputs)
        low, high = recording.input_range
        return cls(x_mean=torch.from_numpy(flat.mean(0)), x_std=torch.from_numpy(flat.std(0)),
                   s_low=torch.tensor(low, dtype=torch.float64), s_high=torch.tensor(high, dtype=torch.float64),
                   step_time=recording.step_time)


class Twin(nn.Module):
    """A model of a device, differentiable; `substeps` of its solver make one step of the recording.

    Args:
        scale: units.
        n_inputs: of the device.
        delays: delayed values of the observables in the state, 0 or more.
        starts: (n, (delays + 1) * n_outputs) initial y, normalised, from which runs start at random; they are never learnt.
    """

    kind = ""
    substeps = 1

    def __init__(self, scale: Scale, n_inputs: int, delays: int, starts: Tensor):
        super().__init__()
        if delays < 0 or n_inputs < 1:
            raise TwinError(f"{delays} delays and {n_inputs} inputs; give 0 or more and 1 or more")
        self.n_inputs, self.n_outputs, self.delays = n_inputs, len(scale.x_mean), delays
        self.step_time, self.device_name, self.provenance = scale.step_time, "device", {}
        for name in ("x_mean", "x_std", "s_low", "s_high"):
            self.register_buffer(name, getattr(scale, name))
        self.register_buffer("starts", starts)
        if starts.ndim != 2 or starts.shape[1] != self.width or not len(starts):
            raise TwinError(f"initial states {tuple(starts.shape)}; give (n, {self.width})")

    @property
    def width(self) -> int:
        """Length of y."""
        return (self.delays + 1) * self.n_outputs

    @property
    def input_range(self) -> tuple[float, float]:
        """Device units."""
        return float(self.s_low), float(self.s_high)

    @property
    def parameters_count(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def normalised(self, x: Tensor) -> Tensor:
        """Observables from device units."""
        return (x - self.x_mean) / self.x_std

    def observed(self, x: Tensor) -> Tensor:
        """Observables in device units from normalised ones."""
        return self.x_mean + self.x_std * x

    def drive(self, s: Tensor) -> Tensor:
        """Inputs from device units to about +-1."""
        return (2.0 * s - self.s_low - self.s_high) / (self.s_high - self.s_low)

    def newest(self, state: State) -> Tensor:
        """Observables of a state, normalised (..., n_outputs)."""
        return state.y[..., : self.n_outputs]

    def start(self, shape: tuple[int, ...], draw: torch.Generator) -> State:
        """States of the given shape of copies, drawn from the recorded initial states."""
        y = self.starts[torch.randint(0, len(self.starts), shape, generator=draw)]
        return self.rested(y, draw)

    def rested(self, y: Tensor, draw: torch.Generator) -> State:
        """The state of a device whose observables were y: what cannot be observed is at rest."""
        return State(y, y.new_zeros(*y.shape[:-1], 0))

    def step(self, state: State, s: Tensor, draw: torch.Generator) -> State:
        """One step of the recording under the normalised input s (..., n_inputs)."""
        y, a = state
        n = self.n_outputs
        for _ in range(self.substeps):
            x, a = self.advance(y, a, s, 1.0 / self.substeps, draw)
            y = torch.cat([x, y[..., n:]], dim=-1) if self.delays else x
        return State(torch.cat([x, state.y[..., : self.width - n]], dim=-1) if self.delays else x, a)

    def advance(self, y: Tensor, a: Tensor, s: Tensor, h: float, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Observables and auxiliaries h steps later, while the delayed part of y and s are held."""
        raise NotImplementedError

    def histories(self, x: Tensor) -> Tensor:
        """y of every row of normalised observables (..., rows, n_outputs), as (..., rows, width); the first precedes itself."""
        rows = x.shape[-2]
        return torch.cat([x[..., (torch.arange(rows) - k).clamp_min(0), :] for k in range(self.delays + 1)], dim=-1)

    def trajectory(self, state: State, s: Tensor, draw: torch.Generator) -> Tensor:
        """Normalised observables (..., steps + 1, n_outputs) under normalised inputs (..., steps, n_inputs); differentiable."""
        rows = [self.newest(state)]
        for k in range(s.shape[-2]):
            state = self.step(state, s[..., k, :], draw)
            rows.append(self.newest(state))
        return torch.stack(rows, dim=-2)

    def check_inputs(self, inputs: np.ndarray | Tensor) -> None:
        """Refuse inputs (..., steps, n_inputs) [device units] that the twin was not fitted for.

        Raises:
            TwinError: another number of inputs, not finite, or outside the range; says which, where, and the range.
        """
        values = np.asarray(inputs)
        low, high = self.input_range
        if values.ndim < 2 or values.shape[-1] != self.n_inputs:
            raise TwinError(f"inputs {values.shape} for a twin of {self.device_name!r}; give (..., steps, {self.n_inputs})")
        slack = 1e-9 * (high - low)
        bad = np.argwhere(~((values >= low - slack) & (values <= high + slack)))
        if len(bad):
            where = tuple(int(k) for k in bad[0])
            raise TwinError(f"input {values[where]:g} at index {where} is outside [{low:g}, {high:g}], the range that the twin "
                            f"of {self.device_name!r} was fitted over, as are {len(bad) - 1} more; scale or clip the inputs, "
                            "or record the device over a wider range")

    @torch.no_grad()
    def run(self, inputs: np.ndarray, *, repeats: int = 1, seed: int = 0, initial: np.ndarray | None = None) -> np.ndarray:
        """Run freely.

        Args:
            inputs: (sequences, steps, n_inputs) [device units].
            initial: (sequences, repeats, rows, n_outputs) [device units], observables up to the start, the newest last; the
                default draws them from the recorded initial states.
        Returns:
            (sequences, repeats, steps + 1, n_outputs) [device units].
        Raises:
            TwinError: inputs outside the twin's range or of another shape, or a run that leaves the finite numbers.
        """
        self.check_inputs(inputs)
        draw = torch.Generator().manual_seed(seed)
        s = self.drive(torch.from_numpy(np.array(inputs, dtype=np.float64)))[:, None].expand(-1, repeats, -1, -1)
        if initial is None:
            state = self.start((len(s), repeats), draw)
        else:
            rows = self.normalised(torch.from_numpy(np.array(initial, dtype=np.float64)))
            state = self.rested(self.histories(rows)[..., -1, :], draw)
        run = self.trajectory(state, s, draw)
        if not torch.isfinite(run).all():
            raise TwinError(f"the twin of {self.device_name!r} left the finite numbers; fit it again, with more data or fewer "
                            "neurons")
        return self.observed(run).numpy()


def initial_histories(recording: Recording, scale: Scale, delays: int, *, seed: int = 0) -> Tensor:
    """Up to STARTS initial y (n, (delays + 1) * n_outputs), normalised, drawn from a recording.

    Where sequences start rested, what was before the first row equals it. Else any row that has its delays is a start.
    """
    x = (torch.tensor(recording.states) - scale.x_mean) / scale.x_std
    if recording.rested:
        starts = x[:, :, 0].flatten(0, 1).repeat(1, delays + 1)
    else:
        if recording.steps < delays:
            raise TwinError(f"sequences of {recording.steps} steps hold no {delays} delays; use fewer, or longer sequences")
        starts = torch.cat([x[:, :, delays - k] for k in range(delays + 1)], dim=-1).flatten(0, 1)
    chosen = torch.randperm(len(starts), generator=torch.Generator().manual_seed(seed))[:STARTS]
    return starts[chosen].clone()
