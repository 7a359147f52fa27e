"""L1 of the circuit twin, its network and the baselines, both phases."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from cosim.report.style import styled
from cosim.studies.lorenz96.experiment import PHASES
from cosim.studies.lorenz96.table import NAMES

COLOURS = {"circuit twin": "#d9480f", "neural ODE (torch)": "#0b5fa5"}


@styled
def l1_bars(metrics: dict, forcing: float) -> plt.Figure:
    """Means over seeds with one standard deviation; the published values of the twin as lines.

    Args:
        metrics: content of metrics.json.
    """
    figure, axes = plt.subplots(1, 2, figsize=(13.5, 3.8))
    for axis, phase in zip(axes, PHASES, strict=True):
        own = next(row for row in metrics["summary"] if (row["forcing"], row["phase"]) == (forcing, phase))
        bars = {"circuit twin": own["total_l1"], "neural ODE (torch)": own["model_l1"]}
        seeds = dict.fromkeys(bars, own["seeds"])
        for baseline in metrics["baselines"]:
            name = NAMES.get(baseline["model"], baseline["model"])
            bars[name], seeds[name] = baseline[phase], baseline["seeds"]
        means, spreads = [bar["mean"] for bar in bars.values()], [bar["sd"] or 0.0 for bar in bars.values()]
        axis.bar(range(len(bars)), means, yerr=spreads, capsize=4, color=[COLOURS.get(name, "0.7") for name in bars])
        for k, mean in enumerate(means):
            axis.text(k + 0.06, mean + 0.02 * np.max(means), f"{mean:.3f}", ha="left", va="bottom", fontsize=8.5,
                      bbox={"facecolor": "white", "linewidth": 0, "pad": 0.8})
            axis.text(k, 0.015 * np.max(means), f"n = {list(seeds.values())[k]}", ha="center", fontsize=7.5, color="white")
        axis.axhline(metrics["published"][phase], color="black", linestyle="--", linewidth=1.2,
                     label=f"published twin, {metrics['published'][phase]}")
        axis.set(title=f"{phase}, F = {forcing:g}", xticks=range(len(bars)), ylabel="L1 [model units]")
        axis.set_xticklabels([name.replace(" ", "\n", 1) for name in bars])
        axis.legend(loc="upper left")
    return figure
