"""Hidden-neuron voltages of the circuit against torch."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.report.style import TORCH, TWIN, styled
from cosim.report.time_unit import time_unit

MOST_LAYERS = 6  # that are drawn
MOST_NEURONS = 6  # of each
MOST_TURNS = 40  # rises and falls, that are told apart on one small plot


@styled
def neurons(vectors: Waveforms, expected: Sequence[np.ndarray], times: np.ndarray, start: float,
            until: float = np.inf) -> plt.Figure:
    """The most active neurons of the first hidden layers.

    Args:
        vectors: simulated node voltages [V], one vector per hidden neuron.
        expected: (m, width) [V] per hidden layer, torch's activations times the layer's scale.
        times: (m,) circuit seconds from the start of integration.
        start: circuit time at which integration starts [s].
        until: circuit seconds from the start of integration that are drawn.
    """
    early = times <= until
    times, shown = times[early], [volts[early] for volts in expected[:MOST_LAYERS]]
    unit, unit_name = time_unit(times[-1])
    columns = min(MOST_NEURONS, max(volts.shape[1] for volts in shown))
    figure, axes = plt.subplots(len(shown), columns, figsize=(13.5, 0.5 + 2.2 * len(shown)), sharex=True, squeeze=False)
    since = vectors.time - start
    running = (since >= 0) & (since <= until)
    for number, (axis_row, volts) in enumerate(zip(axes, shown, strict=True), start=1):
        busiest = np.sort(np.argsort(-np.ptp(volts, axis=0), kind="stable")[:columns])
        for axis in axis_row[len(busiest) :]:
            axis.axis("off")
        for axis, k in zip(axis_row, busiest, strict=False):
            axis.plot(times / unit, 1e3 * volts[:, k], **{**TORCH, "linewidth": 2.4, "alpha": 0.6})
            axis.plot(since[running] / unit, 1e3 * vectors[nets.hidden_vector(number, int(k))][running], **TWIN)
            axis.set_title(f"layer {number}, neuron {k}", fontsize=9)
            axis.xaxis.set_tick_params(labelbottom=number == len(shown))
        axis_row[0].set_ylabel("neuron output [mV]")
    for axis in axes[-1]:
        axis.set_xlabel(f"time [{unit_name}]")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)  # clear of the curves
    return figure


def readable_span(expected: Sequence[np.ndarray], times: np.ndarray) -> float:
    """How much of a run [s] can be told apart on a small plot: until the busiest neuron has turned so many times.

    Args:
        expected, times: as for :func:`neurons`.
    """
    turns = [np.diff(np.sign(np.diff(volts, axis=0)), axis=0) != 0 for volts in expected]
    counts = np.concatenate([np.cumsum(turn, axis=0) for turn in turns], axis=1).max(axis=1, initial=0)
    beyond = np.flatnonzero(counts > MOST_TURNS)
    return float(times[beyond[0]]) if beyond.size else float(times[-1])
