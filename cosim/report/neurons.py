"""Hidden-neuron voltages of the circuit against torch."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from circuits.board import nets
from cosim.report.style import TORCH, TWIN, styled


@styled
def neurons(vectors: pd.DataFrame, expected: list[np.ndarray], times: np.ndarray, start: float, shown: int = 6) -> plt.Figure:
    """The most active neurons of each hidden layer.

    Args:
        vectors: simulated node voltages [V], ``time`` [s] and one column per hidden neuron.
        expected: (m, width) [V] a hidden layer, torch's activations times the layer's scale.
        times: (m,) seconds from the start of integration.
        start: circuit time at which integration starts [s].
    """
    figure, axes = plt.subplots(len(expected), shown, figsize=(13.5, 2.6 * len(expected)), sharex=True, squeeze=False)
    since = vectors["time"] - start
    running = since >= 0
    for row, (axis_row, volts) in enumerate(zip(axes, expected, strict=True), start=1):
        busiest = np.sort(np.argsort(-np.ptp(volts, axis=0), kind="stable")[:shown])
        for axis, k in zip(axis_row, busiest, strict=False):
            axis.plot(times, 1e3 * volts[:, k], **{**TORCH, "linewidth": 2.4, "alpha": 0.6})
            axis.plot(since[running], 1e3 * vectors.loc[running, nets.hidden_vector(row, int(k))], **TWIN)
            axis.set_title(f"layer {row}, neuron {k}")
        axis_row[0].set_ylabel("neuron output [mV]")
    for axis in axes[-1]:
        axis.set_xlabel("time [s]")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)  # clear of the curves
    return figure
