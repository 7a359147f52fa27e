"""States of every case over time: torch, circuit, truth where it is known, and what the circuit is off."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from circuits.board.nets import state_column
from cosim.report.style import TORCH, TRUTH, TWIN, styled

MOST_STATES = 6  # that are drawn
LOOKS = {"truth": TRUTH, "reference": TORCH, "twin": TWIN}


@styled
def state_curves(cases: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]]) -> plt.Figure:
    """One column per case; one row per state, and one for its error below where torch and circuit are both given.

    Args:
        cases: case -> its times (m,) [model s] and its curves: any of "truth", "reference" (torch) and "twin" (circuit),
            each (m, n_states) in model units.
    """
    curves = [states for _, states in cases.values()]
    n_states = min(max(states[name].shape[1] for states in curves for name in states), MOST_STATES)
    compared = all({"reference", "twin"} <= set(states) for states in curves)
    rows = n_states * (1 + compared)
    figure, axes = plt.subplots(rows, len(cases), figsize=(max(6.5, 3.4 * len(cases)), 1.1 + 1.7 * rows), sharex="col",
                                squeeze=False, height_ratios=((2, 1) if compared else (1,)) * n_states)
    for column, (name, (times, states)) in zip(axes.T, cases.items(), strict=True):
        column[0].set_title(name.replace("_", " "))
        for k in range(n_states):
            axis = column[k * (1 + compared)]
            for what, look in LOOKS.items():
                if what in states:
                    axis.plot(times, states[what][:, k], **look)
            axis.set_ylabel(state_column(k))
            if compared:
                error = column[2 * k + 1]
                error.plot(times, states["twin"][:, k] - states["reference"][:, k], **{**TWIN, "linestyle": "-"})
                error.set_ylabel("circuit − torch", fontsize=8)
        column[-1].set_xlabel("time [model s]")
    labels = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(labels.values(), labels.keys(), loc="outside upper center", ncols=3)
    return figure
