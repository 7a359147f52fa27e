"""The vectors that a deck saves, from the behavioural solution."""

from __future__ import annotations

from dataclasses import dataclass

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
    tau = R_PRECHARGE * blueprint.board.c_int
    ramp = [1.1 * timing.ic_step + k * tau for k in (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)]
    early = [t for t in (0.0, timing.ic_step, *ramp, 0.99 * timing.start) if t < timing.start]
    board = board.part(slice(one, one + 1) if board.boards > 1 else slice(None)).in_numpy()
    start, dtype = solution.drive(0.0), solution.s.numpy().dtype
    settled = np.array([0.0 if t <= timing.ic_step else 1.0 - np.exp(-max(t - 1.1 * timing.ic_step, 0.0) / tau)
                        for t in sorted(early)])
    still = Signal(start.v, torch.zeros_like(start.v))
    holding = _rows(board, (settled[:, None] * initial).astype(dtype), still, running=False)
    rows = [holding.row(k, initial * float(t > timing.ic_step), 0.0) for k, t in enumerate(sorted(early))]
    going = _rows(board, solution.s[:, one].numpy(), solution.drive(solution.times), spread=(0.5 * solution.step, np.inf))
    rows += [going.row(k, initial, SUPPLY * float(t > 0)) for k, t in enumerate(solution.times)]
    times = [*sorted(early), *(timing.start + solution.times)]
    names = saved_vectors(blueprint.board)
    return pd.DataFrame({"time": times, **dict(zip(names, np.array(rows).T, strict=True))})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """One board at many times at once, as if each were a board."""

    shot: Snapshot
    external: np.ndarray  # (times or 1, external inputs) [V]
    hold: bool

    def row(self, k: int, ic: np.ndarray, sel: float) -> list[float]:
        """In the order of :func:`circuits.board.testbench.saved_vectors`."""
        shot = self.shot
        row = [*self.external[min(k, len(self.external) - 1)].tolist(), *ic.tolist(), sel, *shot.states[k].tolist()]
        for d, cap, v_sum in zip(shot.derivatives[k].tolist(), shot.caps[k].tolist(), shot.sums[k].tolist(), strict=True):
            row += [d, cap, v_sum, v_sum if self.hold else cap]
        return row + [v for layer in shot.hidden for v in layer[k].tolist()]


def _rows(board: Board, s: np.ndarray, external: Signal, *, spread: tuple[float, float] = (0.0, np.inf),
          running: bool = True) -> _Rows:
    external = Signal(*(x.numpy() for x in external))
    with np.errstate(all="ignore"):  # every solution that comes here is finite; what over- and underflows is a crossover's tail
        shot = board(np.asfortranarray(s), external, spread, running=running)
    return _Rows(shot=shot, external=external.v, hold=not running)
