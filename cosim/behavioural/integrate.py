"""Integrating the board over a case, with torchdiffeq's fixed-step fourth-order Runge-Kutta."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import torch
from torchdiffeq import odeint

from cosim.behavioural.board import Board
from cosim.behavioural.drive import Drive
from cosim.behavioural.signal import Signal
from cosim.compiler.scaling import Scales
from cosim.errors import CosimError
from cosim.problem.case import Case
from training.trainer import one_thread

PER_STRETCH = 6  # steps between two corners of a stimulus, at least: neurons cross over within an edge


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Capacitor voltages of every board."""

    times: np.ndarray  # (points,) [s], since the start of integration
    s: torch.Tensor  # (points, boards, states) [V]
    rate: torch.Tensor  # (points, boards, states) [V/s], their slopes
    drive: Drive
    step: float  # s, largest


def solve(board: Board, case: Case, scales: Scales, *, times: np.ndarray | None = None,
          steps: int | None = None) -> Solution:
    """Solve the initial value problem of a case; differentiable through the board.

    Steps end where a stimulus bends. Between the grid's points the solution is a cubic.

    Args:
        times: (points,) [s], circuit time since the start, ascending from 0; None: the case's own grid.
        steps: equal ones over the duration; None: one a sample of the case.
    Raises:
        CosimError: a step count below 1, a solution that left the finite numbers, or steps too short for the board's type.
    """
    dtype = board.layers[0].constant.dtype
    drive = Drive(case=case, scales=scales, dtype=dtype)
    times = case.times * scales.time if times is None else np.asarray(times, dtype=float)
    steps = case.samples - 1 if steps is None else steps
    if steps < 1:
        raise CosimError(f"case {case.name}: {steps} integration steps; give at least 1")
    end = float(times[-1])
    corners = np.concatenate([[0.0], drive.breakpoints(), [drive.duration]])
    grid = step_grid(corners, steps, end, drive.moves(corners))
    initial = torch.tensor([case.initial], dtype=dtype) * torch.as_tensor(scales.state, dtype=dtype)
    s0 = board.integrator.started(initial).expand(board.boards, -1).clone()

    ends = torch.from_numpy(grid).to(dtype)  # odeint tells the slope times of the state's own type
    if not bool((ends[1:] > ends[:-1]).all()):
        raise CosimError(f"case {case.name}: a stimulus bends within less than {dtype} can tell apart; use a float64 board")
    spreads, slopes, told = step_spreads(grid, corners), {}, ends.tolist()

    def slope(t: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        at = float(t)
        here = np.searchsorted(told, at, side="right") - 1
        slopes[at] = board(s, drive(at), spreads[min(here, len(spreads) - 1)]).slope
        return slopes[at]  # what stays at a step's end is its successor's first slope

    at_steps = odeint(slope, s0, ends, method="rk4")
    s, rate = _cubic(grid, at_steps, torch.stack([slopes[t] for t in told]), times)
    if not bool(torch.isfinite(s.detach()).all()):
        point, one = torch.argwhere(~torch.isfinite(s.detach()))[0][:2].tolist()
        raise CosimError(f"case {case.name}, board {one}: the behavioural solution is not finite from t = {times[point]:.6g} s "
                         f"of {end:.6g} s on; use more than {steps} steps")
    return Solution(times=times, s=s, rate=rate, drive=drive, step=drive.duration / steps)


@one_thread()  # at these sizes more are slower
@torch.no_grad()
def runs_from(board: Board, scales: Scales, starts: np.ndarray, *, duration: float, samples: int) -> np.ndarray:
    """The board's states from many starts, by fourth-order Runge-Kutta with a step per sample.

    Args:
        board: of a network without external inputs.
        scales: of the board.
        starts: (runs, n_states) model units.
        duration: [model s]; samples: of the run, both ends included.
    Returns:
        (samples, runs, n_states) model units, the state lines.
    Raises:
        CosimError: the network has external inputs, a grid without a step, or a run that left the finite numbers.
    """
    if scales.inputs:
        raise CosimError(f"the network has {len(scales.inputs)} external inputs; runs from many starts are for one without")
    if samples < 2 or not duration > 0:
        raise CosimError(f"duration = {duration} model s, {samples} samples; give a positive duration and 2 samples or more")
    none = torch.zeros(len(starts), 0, dtype=torch.float64)
    step = duration * scales.time / (samples - 1)

    def slope(s: torch.Tensor) -> torch.Tensor:
        return board(s, Signal(none, none), (0.5 * step, inf)).slope

    s, lines = board.integrator.started(torch.as_tensor(starts * scales.state)), []
    for _ in range(samples):
        a = slope(s)
        lines.append(board.state_lines(s, a).numpy() / scales.state)
        b = slope(s + 0.5 * step * a)
        c = slope(s + 0.5 * step * b)
        s = s + step / 6 * (a + 2 * b + 2 * c + slope(s + step * c))
    states = np.array(lines)
    if not np.isfinite(states).all():
        lost = int(np.argmin(np.isfinite(states).all(axis=(1, 2))))
        at = duration * lost / (samples - 1)
        raise CosimError(f"the behavioural solution is not finite from t = {at:.6g} of {duration:.6g} model s on; give more "
                         f"than {samples} samples")
    return states


def step_grid(corners: np.ndarray, steps: int, end: float, moves: np.ndarray) -> np.ndarray:
    """Ends of the steps [s], from 0 to ``end``.

    Args:
        corners: 0, the times [s] at which a stimulus bends, the duration; ascending.
        steps: over the duration; a stretch between two corners has PER_STRETCH at least. One that is shorter than such a step
            has fewer where the stimuli move less in it than over a full edge, as between the samples of a dense record.
        moves: (corners - 1,) parts of the stimuli's range, see :meth:`cosim.behavioural.drive.Drive.moves`.
    """
    longest = corners[-1] / steps
    stretches = []
    for (a, b), move in zip(pairwise(corners), moves, strict=True):
        least = PER_STRETCH if b - a >= longest * (1 - 1e-9) else max(1, int(np.ceil(PER_STRETCH * move)))
        stretches.append(np.linspace(a, b, max(least, int(np.ceil((b - a) / longest * (1 - 1e-9)))) + 1)[:-1])
    grid = np.append(np.concatenate(stretches), corners[-1])
    return np.append(grid[grid < end * (1 - 1e-12)], end)


def step_spreads(grid: np.ndarray, corners: np.ndarray) -> list[tuple[float, float]]:
    """For every step the times [s] over which a crossover may be spread: half the step, a sixth of the stretch."""
    middle = 0.5 * (grid[1:] + grid[:-1])
    stretch = np.diff(corners)[np.searchsorted(corners, middle) - 1]
    least = 0.5 * np.diff(grid)
    return list(zip(least.tolist(), np.maximum(stretch / PER_STRETCH, least).tolist(), strict=True))


def _cubic(grid: np.ndarray, s: torch.Tensor, slopes: torch.Tensor, times: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and slopes at ``times`` of the cubic through values and slopes at the grid (Hermite)."""
    left = np.clip(np.searchsorted(grid, times, side="right") - 1, 0, len(grid) - 2)
    shape, steps = (-1, *[1] * (s.dim() - 1)), np.diff(grid)[left]
    h, x = (torch.as_tensor(one, dtype=s.dtype).reshape(shape) for one in (steps, (times - grid[left]) / steps))
    a, b, rise = s[left], s[left + 1], (s[left + 1] - s[left]) / h
    fa, fb = slopes[left] - rise, slopes[left + 1] - rise
    value = a + x * (b - a) + h * x * (1 - x) * ((1 - x) * fa - x * fb)
    return value, rise + (1 - x) * (1 - 3 * x) * fa - x * (2 - 3 * x) * fb


def model_states(board: Board, solution: Solution, scales: Scales) -> torch.Tensor:
    """The state lines in model units, (points, boards, states)."""
    return board.state_lines(solution.s, solution.rate) / torch.as_tensor(scales.state, dtype=solution.s.dtype)
