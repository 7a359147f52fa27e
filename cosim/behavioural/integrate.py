"""Integrating the board over a case, with torchdiffeq's fixed-step fourth-order Runge-Kutta."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torchdiffeq import odeint

from cosim.behavioural.board import Board
from cosim.behavioural.drive import Drive
from cosim.case import Case
from cosim.errors import CosimError
from cosim.scaling import Scales

PER_STRETCH = 6  # steps between two corners of a stimulus, at least: neurons cross over within an edge


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Capacitor voltages of every board."""

    times: np.ndarray  # (points,) [s], since the start of integration
    s: torch.Tensor  # (points, boards, states) [V]
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
        CosimError: a step count below 1, or a solution that left the finite numbers.
    """
    dtype = board.layers[0].constant.dtype
    drive = Drive(case=case, scales=scales, dtype=dtype)
    times = case.times * scales.time if times is None else np.asarray(times, dtype=float)
    steps = case.samples - 1 if steps is None else steps
    if steps < 1:
        raise CosimError(f"case {case.name}: {steps} integration steps; give at least 1")
    end = float(times[-1])
    corners = np.concatenate([[0.0], drive.breakpoints(), [drive.duration]])
    grid = step_grid(corners, steps, end)
    initial = torch.tensor([case.initial], dtype=dtype) * scales.state
    s0 = board.integrator.started(initial).expand(board.boards, -1).clone()

    spreads = step_spreads(grid, corners)

    def slope(t: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        here = np.searchsorted(grid, float(t), side="right") - 1
        return board(s, drive(float(t)), spreads[min(here, len(spreads) - 1)]).slope

    s = odeint(slope, s0, torch.from_numpy(times), method="rk4",
               options={"grid_constructor": lambda *_: torch.from_numpy(grid), "interp": "cubic"})
    if not bool(torch.isfinite(s.detach()).all()):
        point, one = torch.argwhere(~torch.isfinite(s.detach()))[0][:2].tolist()
        raise CosimError(f"case {case.name}, board {one}: the behavioural solution is not finite from t = {times[point]:.6g} s "
                         f"of {end:.6g} s on; use more than {steps} steps")
    return Solution(times=times, s=s, drive=drive, step=drive.duration / steps)


def step_grid(corners: np.ndarray, steps: int, end: float) -> np.ndarray:
    """Ends of the steps [s], from 0 to ``end``.

    Args:
        corners: 0, the times [s] at which a stimulus bends, the duration; ascending.
        steps: over the duration; a stretch between two corners, such as an edge, has PER_STRETCH at least.
    """
    longest = corners[-1] / steps
    stretches = [np.linspace(a, b, max(PER_STRETCH, int(np.ceil((b - a) / longest * (1 - 1e-9)))) + 1)[:-1]
                 for a, b in pairwise(corners)]
    grid = np.append(np.concatenate(stretches), corners[-1])
    return np.append(grid[grid < end * (1 - 1e-12)], end)


def step_spreads(grid: np.ndarray, corners: np.ndarray) -> list[tuple[float, float]]:
    """For every step the times [s] over which a crossover may be spread: half the step, a sixth of the stretch."""
    middle = 0.5 * (grid[1:] + grid[:-1])
    stretch = np.diff(corners)[np.searchsorted(corners, middle) - 1]
    least = 0.5 * np.diff(grid)
    return list(zip(least.tolist(), np.maximum(stretch / PER_STRETCH, least).tolist(), strict=True))


def model_states(board: Board, solution: Solution, scales: Scales) -> torch.Tensor:
    """The state lines in model units, (points, boards, states)."""
    with torch.set_grad_enabled(solution.s.requires_grad):
        shots = [board(s, solution.drive(float(t)), (0.5 * solution.step, np.inf)).states
                 for t, s in zip(solution.times, solution.s, strict=True)]
    return torch.stack(shots) / scales.state
