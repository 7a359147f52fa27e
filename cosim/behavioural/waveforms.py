"""The vectors that a deck saves, from the behavioural solution."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from circuits.board.testbench import SUPPLY, saved_vectors
from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.board import Board, Snapshot
from cosim.behavioural.integrate import Solution
from cosim.behavioural.signal import Signal

R_PRECHARGE = 102.0  # ohm, 100 ohm and S4


@torch.no_grad()
def vectors(board: Board, blueprint: Blueprint, solution: Solution, one: int = 0) -> pd.DataFrame:
    """One board's run as its deck would save it: time [s] from 0, then ``v(<node>)`` [V], same names, same order.

    The pre-charge is a few points with the integrators holding, exact once they have settled.

    Args:
        one: which board.
    """
    case, scales = solution.drive.case, blueprint.scales
    timing = blueprint.timing(case)
    initial = np.array(case.initial) * scales.state + blueprint.board.ic_shift
    times, rows = [], []
    tau = R_PRECHARGE * blueprint.board.c_int
    ramp = [1.1 * timing.ic_step + k * tau for k in (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)]
    early = [t for t in (0.0, timing.ic_step, *ramp, 0.99 * timing.start) if t < timing.start]
    start = solution.drive(0.0)
    for t in sorted(early):
        settled = 0.0 if t <= timing.ic_step else 1.0 - np.exp(-max(t - 1.1 * timing.ic_step, 0.0) / tau)
        s = torch.as_tensor(initial * settled, dtype=solution.s.dtype).expand(board.boards, -1)
        shot = board(s, Signal(start.v, torch.zeros_like(start.v)), running=False)
        times.append(t)
        rows.append(_row(shot, one, start, initial * float(t > timing.ic_step), 0.0, hold=True))
    for t, s in zip(solution.times, solution.s, strict=True):
        external = solution.drive(float(t))
        times.append(timing.start + t)
        shot = board(s, external, (0.5 * solution.step, np.inf))
        rows.append(_row(shot, one, external, initial, SUPPLY * float(t > 0), hold=False))
    names = saved_vectors(blueprint.board)
    return pd.DataFrame({"time": times, **dict(zip(names, np.array(rows).T, strict=True))})


def _row(shot: Snapshot, one: int, external: Signal, ic: np.ndarray, sel: float, *, hold: bool) -> list[float]:
    """In the order of :func:`circuits.board.testbench.saved_vectors`."""
    row = [*external.v[0].tolist(), *ic.tolist(), sel, *shot.states[one].tolist()]
    for d, cap, v_sum in zip(shot.derivatives[one].tolist(), shot.caps[one].tolist(), shot.sums[one].tolist(), strict=True):
        row += [d, cap, v_sum, v_sum if hold else cap]
    return row + [v for layer in shot.hidden for v in layer[one].tolist()]
