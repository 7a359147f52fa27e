"""Bode, step and noise plots of the op-amp."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from circuits.benches import opa4990
from circuits.engine.result import Result
from cosim.report.style import styled

WANTED = {"color": "0.15", "marker": "o", "linestyle": "none", "markersize": 5, "label": "figure in the table"}
LOADS = (20e-12, 100e-12, 1e-9)  # F
COLOURS = ("#0b5fa5", "#5c940d", "#d9480f")


@styled
def op_amp_curves(results: Mapping[str, Result]) -> plt.Figure:
    """Open-loop gain and phase for three loads, a slewed step, input noise.

    Args:
        results: deck's name -> result, from ``circuits.benches.findings.run_benches``.
    """
    figure = plt.figure(figsize=(13.5, 4.6))
    grid = figure.add_gridspec(2, 3, width_ratios=(1.25, 1, 1))
    gain, phase = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    step, noise = figure.add_subplot(grid[:, 1]), figure.add_subplot(grid[:, 2])
    for load, colour in zip(LOADS, COLOURS, strict=True):
        f, a = opa4990.gain(results[opa4990.open_loop(load).name])
        gain.semilogx(f, 20 * np.log10(abs(a)), color=colour, linewidth=1.4, label=f"{load * 1e12:.0f} pF")
        phase.semilogx(f, np.degrees(np.unwrap(np.angle(a))), color=colour, linewidth=1.4)
    gain.plot([1e-2, opa4990.GBW], [130, 0], **WANTED)
    gain.set(ylabel="gain [dB]", title="open loop, load at the output", yticks=range(-40, 161, 40))
    gain.tick_params(labelbottom=False)
    gain.legend(loc="lower left")
    phase.set(xlabel="frequency [Hz]", ylabel="phase [°]", yticks=range(-180, 1, 45))

    w = results[opa4990.SLEW.name].waveforms
    step.plot(w.time * 1e6, w["v(inp)"], color="0.6", linewidth=2.5, label="input")
    step.plot(w.time * 1e6, w["v(out)"], color="#d9480f", linewidth=1.4, label="output")
    step.set(xlabel="time [µs]", ylabel="voltage [V]", title="10 V step, G = 1, ±20 V: slewing")
    step.legend(loc="upper right")

    f, e = opa4990.noise_density(results[opa4990.NOISE.name])
    noise.loglog(f, e * 1e9, color="#0b5fa5", linewidth=1.4, label="model")
    noise.plot([1e3, 1e4], [30, 28], **WANTED)
    noise.set(xlabel="frequency [Hz]", ylabel="input noise [nV/√Hz]", title="input noise density", ylim=(10, 3000))
    noise.legend()
    return figure
