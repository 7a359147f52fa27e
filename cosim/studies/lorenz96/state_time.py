"""State over time and site: truth, twin, error."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cosim.report.style import styled
from cosim.studies.lorenz96.metrics import error, states


@styled
def state_time(frame: pd.DataFrame, title: str) -> plt.Figure:
    """Three maps over the whole run, one row a site, the start of the extrapolation marked.

    Args:
        frame: time, phase, truth_k, reference_k, twin_k, model units.
    """
    figure, axes = plt.subplots(3, 1, figsize=(13.5, 6.6), sharex=True)
    truth, twin, total = states(frame, "truth"), states(frame, "twin"), error(frame, "total")
    limit, width = float(np.abs(truth).max()), truth.shape[1]
    split = frame.loc[frame["phase"] == "extrapolation", "time"].iloc[0]
    rows = ((truth, "truth", limit, "RdBu_r"), (twin, "circuit twin", limit, "RdBu_r"),
            (total, "error, twin − truth", limit, "PuOr_r"))
    for axis, (values, name, bound, colours) in zip(axes, rows, strict=True):
        image = axis.imshow(values.T, aspect="auto", origin="lower", cmap=colours, vmin=-bound, vmax=bound,
                            interpolation="nearest", extent=(frame["time"].iloc[0], frame["time"].iloc[-1], -0.5, width - 0.5))
        axis.axvline(split, color="black", linewidth=1.6, linestyle="--")
        axis.set(ylabel="site", yticks=range(width), title=name)
        axis.grid(False)
        figure.colorbar(image, ax=axis, label="[model units]", pad=0.01)
    axes[0].set_title(f"{title}: truth", loc="center")
    top = width - 0.75
    for at, text, side in ((split, "interpolation ", "right"), (split, " extrapolation", "left")):
        axes[0].text(at, top, text, ha=side, va="top", fontsize=9, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0})
    axes[-1].set_xlabel("time [time units]")
    return figure
