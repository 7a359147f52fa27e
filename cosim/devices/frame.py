"""Runs of a device as rows: the shared format of a recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def run_frame(runs: Sequence[tuple[int, int]], inputs: np.ndarray, states: np.ndarray) -> pd.DataFrame:
    """Rows of runs: `sequence`, `repeat`, `step`, `input` (several: `input0`, ...), `x0`, ...

    Row k holds the observables before the input of step k is applied; the last row of a run has no input (NaN).

    Args:
        runs: (sequence, repeat) of each.
        inputs: (runs, steps, n_inputs), device units.
        states: (runs, steps + 1, n_outputs), device units.
    """
    rows = states.shape[1]
    numbers = np.repeat(np.array(runs, dtype=np.int64), rows, axis=0)
    frame = pd.DataFrame({"sequence": numbers[:, 0], "repeat": numbers[:, 1], "step": np.tile(np.arange(rows), len(runs))})
    ended = np.concatenate([inputs, np.full((len(inputs), 1, inputs.shape[2]), np.nan)], axis=1)
    for k in range(inputs.shape[2]):
        frame["input" if inputs.shape[2] == 1 else f"input{k}"] = ended[..., k].ravel()
    for k in range(states.shape[2]):
        frame[f"x{k}"] = states[..., k].ravel()
    return frame
