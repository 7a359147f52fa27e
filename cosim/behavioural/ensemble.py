"""One board, many starts: an autonomous network's runs side by side, as fast as one of them."""

from __future__ import annotations

from math import inf

import numpy as np
import torch

from cosim.behavioural.board import Board
from cosim.behavioural.signal import Signal
from cosim.compiler.scaling import Scales
from cosim.errors import CosimError
from training.trainer import one_thread


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
