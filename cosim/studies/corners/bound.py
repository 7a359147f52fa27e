"""What a corner may cost: the error that the board's equations predict, and the bound that is made of it.

The board at the corner is evaluated along the torch solution, which tells how far its derivative is off at every moment
(offsets times noise gain, leakage times r_f, changed cells); the network's own Jacobian carries that to the state. That takes a
fiftieth of the time in which the equations are solved. Nothing of it comes from a simulation of the decks.
"""

from __future__ import annotations

import numpy as np
import torch

from cosim.behavioural.board import Board
from cosim.behavioural.drive import Drive
from cosim.behavioural.integrate import model_states, solve
from cosim.behavioural.signal import Signal
from cosim.compiler.scaling import Scales
from cosim.problem.case import Case
from cosim.problem.network import Network
from cosim.studies.corners.row import TwinError

POINTS = 1001  # of a run at which the derivative is looked at
STEP = 1e-6  # of the largest state, for the Jacobian
# A bound is the prediction with a margin for what the equations leave out at a corner (cosim.behavioural.corner) and with
# what they are off at the nominal one: 1.1e-4 of full scale (docs/results/speed.md), more in an MRE where a state is small.
MARGIN = 1.25
LINEAR = 0.05  # of full scale; an error beyond it no longer leaves the Jacobian as it was
ALLOWANCE_MAX, ALLOWANCE_MRE = 5e-4, 1e-3


def bound_of(predicted: TwinError) -> TwinError:
    """What a simulation of the corner must stay below."""
    return TwinError(mre=MARGIN * predicted.mre + ALLOWANCE_MRE, max=MARGIN * predicted.max + ALLOWANCE_MAX)


@torch.no_grad()
def predict(board: Board, scales: Scales, network: Network, case: Case, expected: np.ndarray) -> TwinError:
    """Error that the board's equations give a case: to first order, or solved outright where that says it is large.

    Args:
        board: one, at a corner (:func:`cosim.behavioural.corner.board_at`).
        network: that it computes.
        expected: torch solution (samples, states) on the case's grid, model units.
    """
    times = np.linspace(0.0, case.duration, POINTS)
    inputs = case.inputs(times)
    states = np.stack([np.interp(times, case.times, column) for column in expected.T], axis=1)

    def slope(x: np.ndarray) -> np.ndarray:
        return network.derivative(inputs, x)

    right = slope(states)
    off, lines = _along(board, Drive(case=case, scales=scales), times, states, right, scales)
    steps = np.diag(STEP * np.abs(states).max(axis=0))
    jacobian = np.stack([(slope(states + step) - right) / step.sum() for step in steps], axis=2)
    start = board.integrator.started(torch.as_tensor(states[:1] * scales.state)).numpy()[0] / scales.state - states[0]
    error = carried(jacobian, off - right, start, times[1]) + lines
    sampled = np.stack([np.interp(case.times, times, column) for column in error.T], axis=1)
    first_order = TwinError.between(expected, expected + sampled)
    if first_order.max <= LINEAR:
        return first_order
    return TwinError.between(expected, model_states(board, solve(board, case, scales), scales)[:, 0].numpy())


def _along(board: Board, drive: Drive, times: np.ndarray, states: np.ndarray, right: np.ndarray,
           scales: Scales) -> tuple[np.ndarray, np.ndarray]:
    """The board's derivative, and how far its state lines are off their capacitors, (points, states) each, model units."""
    at = [drive(float(t) * scales.time) for t in times]
    external = Signal(torch.cat([one.v for one in at]), torch.cat([one.rate for one in at]))
    s = torch.as_tensor(states * scales.state)
    half_step = 0.5 * float(times[1]) * scales.time
    shot = board(s, external, (half_step, np.inf))
    rate = torch.as_tensor(right * scales.state / scales.time)
    return (shot.slope.numpy() * scales.time / scales.state,
            (board.state_lines(s, rate) - s).numpy() / scales.state)


def carried(jacobian: np.ndarray, source: np.ndarray, start: np.ndarray, step: float) -> np.ndarray:
    """Solution (points, states) of e' = J e + source by the trapezoidal rule."""
    e, half, one = [start], 0.5 * step, np.eye(len(start))
    for k in range(len(source) - 1):
        known = e[-1] + half * (jacobian[k] @ e[-1] + source[k] + source[k + 1])
        e.append(np.linalg.solve(one - half * jacobian[k + 1], known))
    return np.array(e)
