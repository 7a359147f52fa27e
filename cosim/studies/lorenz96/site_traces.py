"""The states of all sites over time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from circuits.board.nets import state_column
from cosim.report.style import TORCH, TRUTH, TWIN, styled
from cosim.studies.lorenz96.metrics import states


@styled
def site_traces(frame: pd.DataFrame) -> plt.Figure:
    """One row a site: truth, torch, circuit; each phase starts anew from its first true sample.

    Args:
        frame: time, phase, truth_k, reference_k, twin_k, model units.
    """
    width = states(frame, "truth").shape[1]
    figure, axes = plt.subplots(width, 1, figsize=(13.5, 1.35 * width + 0.8), sharex=True, sharey=True)
    for k, axis in enumerate(axes):
        for number, (_, part) in enumerate(frame.groupby("phase", sort=False)):
            for column, look in (("truth", {**TRUTH, "linewidth": 2.6}), ("reference", {**TORCH, "linewidth": 1.1}),
                                 ("twin", {**TWIN, "linewidth": 1.1})):
                axis.plot(part["time"], part[f"{column}_{k}"], **(look if number == 0 else {**look, "label": None}))
            if number:
                axis.axvline(part["time"].iloc[0], color="black", linewidth=1.2, linestyle="--")
        axis.set_ylabel(state_column(k))
        axis.margins(x=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    axes[-1].set_xlabel("time [time units]; dashed: extrapolation starts, from its first true sample")
    return figure
