"""Integrating the board over a case, with torchdiffeq's fixed-step fourth-order Runge-Kutta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torchdiffeq import odeint

from cosim.behavioural.board import Board
from cosim.behavioural.drive import Drive
from cosim.case import Case
from cosim.errors import CosimError
from cosim.scaling import Scales


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
    end, step = float(times[-1]), drive.duration / steps
    bends = drive.breakpoints()
    grid = np.unique(np.concatenate([np.linspace(0.0, drive.duration, steps + 1), bends[bends < end], [0.0, end]]))
    grid = grid[grid <= end]
    grid = grid[np.append(True, np.diff(grid) > 1e-9 * end)]
    grid[-1] = end
    initial = torch.tensor([case.initial], dtype=dtype) * scales.state
    s0 = board.integrator.started(initial).expand(board.boards, -1).clone()

    def slope(t: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return board(s, drive(float(t)), 0.5 * step).slope

    s = odeint(slope, s0, torch.from_numpy(times), method="rk4",
               options={"grid_constructor": lambda *_: torch.from_numpy(grid), "interp": "cubic"})
    if not bool(torch.isfinite(s.detach()).all()):
        point, one = torch.argwhere(~torch.isfinite(s.detach()))[0][:2].tolist()
        raise CosimError(f"case {case.name}, board {one}: the behavioural solution is not finite from t = {times[point]:.6g} s "
                         f"of {end:.6g} s on; use more than {steps} steps")
    return Solution(times=times, s=s, drive=drive, step=step)


def model_states(board: Board, solution: Solution, scales: Scales) -> torch.Tensor:
    """The state lines in model units, (points, boards, states)."""
    with torch.set_grad_enabled(solution.s.requires_grad):
        shots = [board(s, solution.drive(float(t)), 0.5 * solution.step).states
                 for t, s in zip(solution.times, solution.s, strict=True)]
    return torch.stack(shots) / scales.state
