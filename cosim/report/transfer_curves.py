"""Transfer curves of the ReLU stage and of the clamp, each simulated alone."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from circuits.benches.blocks import R_F
from circuits.engine.waveforms import Waveforms
from circuits.stages.clamp import CLAMP_ONSET
from cosim.report.style import styled


@styled
def transfer_curves(relu: Waveforms, clamp: Waveforms) -> plt.Figure:
    """ReLU over its whole range and at signal level with its error; clamp alone.

    Args:
        relu: ``relu_tia`` bench, sweep of the source-line current [A].
        clamp: ``clamp`` bench, sweep of the drive voltage [V].
    """
    figure, (whole, signal, error, limiter) = plt.subplots(1, 4, figsize=(13.5, 3.4))
    current, line = relu.scale, -relu["v(line)"]
    ideal = R_F * np.maximum(current, 0.0)
    for axis, shown in ((whole, np.full(current.shape, True)), (signal, np.abs(current) <= 25e-6)):
        axis.plot(1e6 * current[shown], 1e3 * ideal[shown], color="0.6", linewidth=3, label="ideal")
        axis.plot(1e6 * current[shown], 1e3 * line[shown], color="#d9480f", linewidth=1.3, label="circuit")
        axis.set(xlabel="source-line current [µA]", ylabel="−line voltage [mV]")
        axis.legend()
    whole.set_title("ReLU stage, clamp at work")
    signal.set_title("ReLU stage, signal level")
    inside = (ideal <= 0.25) & (np.abs(current) <= 25e-6)
    error.plot(1e6 * current[inside], 1e6 * (line - ideal)[inside], color="#0b5fa5")
    error.set(xlabel="source-line current [µA]", ylabel="error [µV]", title="ReLU stage, error")
    limiter.plot(clamp.scale, clamp["v(line)"], color="#d9480f")
    for sign in (-1, 1):
        limiter.axhline(sign * CLAMP_ONSET, color="0.6", linestyle=":", linewidth=1)
    limiter.set(xlabel="drive [V]", ylabel="line [V]", title=f"clamp (dotted: ±{CLAMP_ONSET} V, linear limit)")
    return figure
