"""Integrating the board over a case or from many starts, with its own fixed-step Runge-Kutta loop."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import torch

from cosim.behavioural.arrays import Array, arrays_of, library, to_numpy
from cosim.behavioural.board import Board
from cosim.behavioural.drive import Drive
from cosim.behavioural.kernel.run import compiled_program, run_program
from cosim.behavioural.runge_kutta import STAGES, runge_kutta, stage_times
from cosim.behavioural.signal import Signal
from cosim.compiler.scaling import Scales
from cosim.errors import CosimError
from cosim.problem.case import Case

CHUNK = 512  # boards that are solved together: what numpy holds of them is small
REPAYS = 400  # steps of all boards, from which on a compiled program is used: it takes a second or two once
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

    ends = grid.astype(_numpy_type(dtype))
    if not (np.diff(ends) > 0).all():
        raise CosimError(f"case {case.name}: a stimulus bends within less than {dtype} can tell apart; use a float64 board")
    run = _Run(grid=grid, external=drive(stage_times(grid).ravel()), spreads=step_spreads(grid, corners), times=times)
    if torch.is_grad_enabled() and any(x.requires_grad for x in arrays_of(board)):
        s, rate = run.along(board, s0)
    else:
        s, rate = (torch.empty(len(times), *s0.shape, dtype=dtype) for _ in range(2))
        in_numpy, started = board.in_numpy(), to_numpy(s0)
        for first in range(0, board.boards, CHUNK):
            chunk = slice(first, first + CHUNK)
            here = run.along(in_numpy.part(chunk), started[chunk])
            s[:, chunk], rate[:, chunk] = map(torch.from_numpy, here)
    if not bool(torch.isfinite(s.detach()).all()):
        point, one = torch.argwhere(~torch.isfinite(s.detach()))[0][:2].tolist()
        raise CosimError(f"case {case.name}, board {one}: the behavioural solution is not finite from t = {times[point]:.6g} s "
                         f"of {end:.6g} s on; use more than {steps} steps")
    return Solution(times=times, s=s, rate=rate, drive=drive, step=drive.duration / steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """The course of a case, whichever boards take it."""

    grid: np.ndarray  # (steps + 1,) [s]
    external: Signal  # (steps * stages, external inputs), tensors
    spreads: list[tuple[float, float]]  # a step
    times: np.ndarray  # (points,) [s], wanted

    def along(self, board: Board, s0: Array) -> tuple[Array, Array]:
        """(points, boards, states) [V], [V/s] from s0 (boards, states) on; tensors or numpy, as the board is."""
        external, steps = self.external, np.diff(self.grid)
        if isinstance(s0, np.ndarray):
            external = Signal(*(x.numpy() for x in external))
            program = compiled_program(board, len(s0)) if len(s0) * len(steps) >= REPAYS else None
            if program is not None:
                return _cubic(self.grid, *run_program(program, s0, external, np.array(self.spreads), steps), self.times)
        stages, last = len(self.external.v) // len(self.spreads), len(self.spreads) - 1

        def slope(step: int, stage: int, s: Array) -> Array:
            at = slice(step * stages + stage, step * stages + stage + 1)
            spread = self.spreads[min(step + (stage == stages - 1), last)]  # at a step's end that of the next
            return board(s, Signal(external.v[at], external.rate[at]), spread).slope

        with np.errstate(all="ignore"):  # what is not finite is found when all is solved
            values, slopes = runge_kutta(slope, s0, steps)
            return _cubic(self.grid, library(s0).stack(values), library(s0).stack(slopes), self.times)


def runs_from(board: Board, scales: Scales, starts: np.ndarray, *, duration: float, samples: int) -> np.ndarray:
    """The board's states from many starts, with a step per sample.

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
    none = np.zeros((1, 0))
    step = duration * scales.time / (samples - 1)
    board = board.in_numpy()

    def slope(_step: int, _stage: int, s: Array) -> Array:
        return board(s, Signal(none, none), (0.5 * step, inf)).slope

    s0, steps = board.integrator.started(np.asfortranarray(starts * scales.state)), np.full(samples - 1, step)
    program = compiled_program(board, len(s0)) if len(s0) * len(steps) >= REPAYS else None
    with np.errstate(all="ignore"):  # what is not finite is found below
        if program is None:
            s, rate = runge_kutta(slope, s0, steps)
        else:
            still = np.zeros((len(STAGES) * len(steps), 0))
            s, rate = run_program(program, s0, Signal(still, still), np.tile([0.5 * step, inf], (len(steps), 1)), steps)
        states = np.array([board.state_lines(*at) for at in zip(s, rate, strict=True)]) / scales.state
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


def _cubic(grid: np.ndarray, s: Array, slopes: Array, times: np.ndarray) -> tuple[Array, Array]:
    """Values and slopes at ``times`` of the cubic through values and slopes at the grid (Hermite)."""
    left = np.clip(np.searchsorted(grid, times, side="right") - 1, 0, len(grid) - 2)
    shape, steps = (-1, *[1] * (s.ndim - 1)), np.diff(grid)[left]
    h, x = (a.reshape(shape).astype(_numpy_type(s.dtype)) for a in (steps, (times - grid[left]) / steps))
    if isinstance(s, torch.Tensor):
        h, x = torch.from_numpy(h), torch.from_numpy(x)
    a, b = s[left], s[left + 1]
    rise = (b - a) / h
    fa, fb = slopes[left] - rise, slopes[left + 1] - rise
    value = a + x * (b - a) + h * x * (1 - x) * ((1 - x) * fa - x * fb)
    return value, rise + (1 - x) * (1 - 3 * x) * fa - x * (2 - 3 * x) * fb


def _numpy_type(dtype: torch.dtype | np.dtype) -> np.dtype:
    return torch.empty(0, dtype=dtype).numpy().dtype if isinstance(dtype, torch.dtype) else dtype


def model_states(board: Board, solution: Solution, scales: Scales) -> torch.Tensor:
    """The state lines in model units, (points, boards, states)."""
    return board.state_lines(solution.s, solution.rate) / torch.as_tensor(scales.state, dtype=solution.s.dtype)
