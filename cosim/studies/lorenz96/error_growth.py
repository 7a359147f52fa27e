"""Which error grows: circuit, model and total over time."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cosim.report.style import TORCH, TWIN, styled
from cosim.studies.lorenz96.metrics import error

LOOKS = {
    "circuit": {**TWIN, "linestyle": "-", "label": "circuit: twin − torch"},
    "model": {**TORCH, "label": "model: torch − truth"},
    "total": {"color": "0.35", "linewidth": 1.6, "label": "total: twin − truth"},
}


@styled
def error_growth(frames: Mapping[str, pd.DataFrame], window: float = 1.0) -> plt.Figure:
    """Mean absolute error over the sites, averaged over a running window, logarithmic.

    Args:
        frames: title -> time, phase, truth_k, reference_k, twin_k, model units.
        window: time units.
    """
    figure, axes = plt.subplots(1, len(frames), figsize=(13.5, 3.8), sharey=True, squeeze=False)
    for axis, (title, frame) in zip(axes[0], frames.items(), strict=True):
        for number, (_, part) in enumerate(frame.groupby("phase", sort=False)):
            time = part["time"].to_numpy()
            n = max(round(window / (time[1] - time[0])), 1)
            for which, look in LOOKS.items():
                mean = pd.Series(np.abs(error(part, which)).mean(axis=1)).rolling(n, min_periods=1).mean()
                axis.semilogy(time, mean, **(look if number == 0 else {**look, "label": None}))
            if number:
                axis.axvline(time[0], color="black", linewidth=1.2, linestyle="--")
        axis.set(title=title, xlabel="time [time units]")
    axes[0, 0].set_ylim(bottom=1e-4)  # shared, so only once all are drawn
    axes[0, 0].set_ylabel("mean |error| over sites\n[model units]")
    axes[0, 0].legend(loc="lower right")
    return figure
