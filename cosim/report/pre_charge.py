"""Pre-charge and integration of the initial-value-problem integrators."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.report.style import styled
from cosim.report.time_unit import time_unit

MOST_STATES = 4  # that are drawn
COLOURS = (("#0b5fa5", "#d9480f"), ("#5c940d", "#862e9c"), ("#0c8599", "#c2255c"), ("#495057", "#e67700"))  # input, output


@styled
def pre_charge(vectors: Waveforms, start: float, states: Sequence[int] = (0,)) -> plt.Figure:
    """Control, integrator inputs (the output layer's TIAs) and outputs; the pre-charge on the left, the whole run right.

    Args:
        vectors: node voltages [V] of a run.
        start: circuit time at which integration starts [s].
        states: whose integrators are drawn, the first four of them.
    """
    figure, axes = plt.subplots(3, 2, figsize=(13.5, 6), sharex="col", width_ratios=(1, 1.6))
    inputs, outputs = [], []
    for k, (blue, orange) in zip(states[:MOST_STATES], COLOURS, strict=False):
        inputs.append((nets.derivative_vector(k), f"d{k}, from the\noutput TIA", blue))
        outputs += [(nets.initial_condition_vector(k), "" if outputs else "source of the\ninitial condition", "0.6"),
                    (nets.state_vector(k), f"state line x{k}_p", orange)]
    rows = (
        ("control [V]", ((nets.vector(nets.SELECT), "sel: 0 pre-charge,\n2.5 V integration", "0.2"),)),
        ("integrator\ninput [V]", inputs),
        ("integrator\noutput [mV]", outputs),
    )
    time = vectors.time
    windows = ((0.0, 1.6 * start), (0.0, float(time[-1])))
    units = [time_unit(stop) for _, stop in windows]
    for row, (label, traces) in zip(axes, rows, strict=True):
        for axis, (low, high), (unit, _) in zip(row, windows, units, strict=True):
            shown = (time >= low) & (time <= high)
            for name, what, colour in traces:
                factor = 1e3 if "mV" in label else 1.0
                axis.plot(time[shown] / unit, factor * vectors[name][shown], color=colour, label=what or None, linewidth=1.4)
            axis.axvline(start / unit, color="0.7", linewidth=0.8, linestyle=":")
        row[0].set_ylabel(label)
        row[1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)  # clear of the curves
    for axis, title in zip(axes[0], ("initial conditioning", "whole run"), strict=True):
        axis.set_title(title)
    for axis, (_, name) in zip(axes[-1], units, strict=True):
        axis.set_xlabel(f"circuit time [{name}]")
    figure.align_ylabels(axes[:, 0])
    return figure
