"""Twin against torch against truth, with error traces."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from cosim.report.style import TITLES, TORCH, TRUTH, TWIN, styled


@styled
def overlays(frames: Mapping[str, pd.DataFrame]) -> plt.Figure:
    """One column a stimulus: stimulus, states, errors.

    Args:
        frames: stimulus -> columns time, stimulus, truth, reference, twin (model units).
    """
    figure, axes = plt.subplots(3, len(frames), figsize=(13.5, 7.2), sharex=True, sharey="row", squeeze=False,
                                height_ratios=(1, 2.4, 1.6))
    for column, (name, frame) in zip(axes.T, frames.items(), strict=True):
        drive, state, error = column
        time = frame["time"]
        drive.plot(time, frame["stimulus"], color="0.2", linewidth=1)
        drive.set_title(TITLES.get(name, name))
        state.plot(time, frame["truth"], **TRUTH)
        state.plot(time, frame["reference"], **TORCH)
        state.plot(time, frame["twin"], **TWIN)
        error.plot(time, 1e3 * (frame["reference"] - frame["truth"]), **{**TORCH, "label": "torch − truth"})
        error.plot(time, 1e3 * (frame["twin"] - frame["reference"]), **{**TWIN, "label": "twin − torch", "linestyle": "-"})
        error.set_xlabel("time [s]")
    axes[0, 0].set_ylabel("stimulus\n[model units]")
    axes[1, 0].set_ylabel("state y\n[model units]")
    axes[2, 0].set_ylabel("error\n[10⁻³ model units]")
    axes[1, 0].legend(loc="best")
    axes[2, 0].legend(loc="best")
    figure.align_ylabels(axes[:, 0])
    return figure
