"""Pre-charge and integration of the initial-value-problem integrator."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from circuits.board import nets
from cosim.report.style import styled


@styled
def pre_charge(vectors: pd.DataFrame, start: float) -> plt.Figure:
    """Control, integrator input (the output layer's TIA) and output; the pre-charge on the left, the whole run right.

    Args:
        vectors: node voltages [V] of a run, with ``time`` [s].
        start: circuit time at which integration starts [s].
    """
    figure, axes = plt.subplots(3, 2, figsize=(13.5, 6), sharex="col", width_ratios=(1, 1.6))
    rows = (
        ("control [V]", ((nets.vector(nets.SELECT), "sel: 0 pre-charge, 2.5 V integration", "0.2"),)),
        ("integrator\ninput [V]", ((nets.derivative_vector(0), "d0, from the output TIA", "#0b5fa5"),)),
        ("integrator\noutput [mV]", ((nets.initial_condition_vector(0), "initial-condition source", "0.6"),
                                       (nets.state_vector(0), "state line x0_p", "#d9480f"))),
    )
    windows = ((0.0, 1.6 * start), (0.0, float(vectors["time"].iloc[-1])))
    for row, (label, traces) in zip(axes, rows, strict=True):
        for axis, (low, high) in zip(row, windows, strict=True):
            shown = vectors[(vectors["time"] >= low) & (vectors["time"] <= high)]
            for name, what, color in traces:
                factor = 1e3 if "mV" in label else 1.0
                axis.plot(1e3 * shown["time"], factor * shown[name], color=color, label=what, linewidth=1.4)
            axis.axvline(1e3 * start, color="0.7", linewidth=0.8, linestyle=":")
        row[0].set_ylabel(label)
        row[0].legend(loc="best", fontsize=8)
    for axis, title in zip(axes[0], ("initial conditioning", "whole run"), strict=True):
        axis.set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel("circuit time [ms]")
    figure.align_ylabels(axes[:, 0])
    return figure
