"""How far the chaotic ring is predicted: states over the first Lyapunov times, with the valid prediction times."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from circuits.board.nets import state_column
from cosim.report.style import TORCH, TRUTH, TWIN, styled
from cosim.studies.lorenz96.metrics import states

LYAPUNOV_TIMES = 7.0


@styled
def prediction_time(part: pd.DataFrame, valid: dict, exponent: float) -> plt.Figure:
    """One row a site over seven Lyapunov times; where torch and the circuit are lost is marked.

    Args:
        part: one phase; time, truth_k, reference_k, twin_k, model units.
        valid: "model" and "circuit" -> ``lyapunov_times``.
        exponent: largest Lyapunov exponent [1 / time unit].
    """
    time = (part["time"] - part["time"].iloc[0]) * exponent
    shown, width = time <= LYAPUNOV_TIMES, states(part, "truth").shape[1]
    figure, axes = plt.subplots(width, 1, figsize=(13.5, 1.3 * width + 0.8), sharex=True, sharey=True)
    for k, axis in enumerate(axes):
        for column, look in (("truth", {**TRUTH, "linewidth": 2.6}), ("reference", TORCH), ("twin", TWIN)):
            axis.plot(time[shown], part.loc[shown, f"{column}_{k}"], **look)
        for who, name, look, style in (("model", "torch", TORCH, "-"), ("circuit", "circuit", TWIN, (0, (4, 2)))):
            at = valid[who]["lyapunov_times"]
            if at <= LYAPUNOV_TIMES:
                axis.axvline(at, color=look["color"], linewidth=1.6, linestyle=style,
                             label=f"valid prediction time, {name}: {at:.2f}")
        axis.set_ylabel(state_column(k))
        axis.margins(x=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    axes[-1].set_xlabel("time since the first sample [Lyapunov times]")
    return figure
