"""States of every case over time: torch, circuit, truth where it is known, and what the circuit is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10

import matplotlib.pyplot as plt
import numpy as np

from circuits.board.nets import external_column, state_column
from cosim.report.style import TITLES, TORCH, TRUTH, TWIN, styled

MOST_STATES = 6  # that are drawn
LOOKS = {"truth": TRUTH, "reference": TORCH, "twin": TWIN}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@styled
def state_curves(cases: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]], states: Sequence[int] | None = None,
                 width: float | None = None) -> plt.Figure:
    """One column per case; one row per state, and one for its error below where torch and circuit are both given.

    Args:
        cases: case -> its times (m,) [model s] and its curves in model units: any of "truth", "reference" (torch) and
            "twin" (circuit), each (m, n_states); and "inputs" (m, n_external), which are drawn above the states.
        states: which are drawn; None: the first six.
        width: of the figure [inches]; None: it follows the number of cases.
    """
    curves = [curve for _, curve in cases.values()]
    n_states = max(curve[name].shape[1] for curve in curves for name in LOOKS if name in curve)
    drawn = list(range(n_states) if states is None else states)[:MOST_STATES]
    driven = int(all(curve.get("inputs", np.empty((0, 0))).shape[1] for curve in curves))  # rows above the states
    compared = all({"reference", "twin"} <= set(curve) for curve in curves)
    heights = [1.0] * driven + [2.0, 1.0][: 1 + compared] * len(drawn)
    figure, axes = plt.subplots(len(heights), len(cases), squeeze=False, sharex="col", height_ratios=heights,
                                figsize=(width or max(6.5, 3.4 * len(cases)), 1.3 + 1.1 * sum(heights)))
    exponents = [_exponent([curve["twin"][:, k] - curve["reference"][:, k] for curve in curves]) if compared else 0
                 for k in drawn]
    for column, (name, (times, curve)) in zip(axes.T, cases.items(), strict=True):
        column[0].set_title(TITLES.get(name, name.replace("_", " ")))
        column[-1].set_xlabel("time [model s]")
        if driven:
            _inputs(column[0], times, curve["inputs"])
        for place, (k, exponent) in enumerate(zip(drawn, exponents, strict=True)):
            axis = column[driven + place * (1 + compared)]
            for what, look in LOOKS.items():
                if what in curve:
                    axis.plot(times, curve[what][:, k], **look)
            if compared:
                error = column[driven + 2 * place + 1]
                error.axhline(0, color="0.7", linewidth=0.8)
                error.plot(times, 10.0**-exponent * (curve["twin"] - curve["reference"])[:, k], **{**TWIN, "linestyle": "-"})
    if driven and next(iter(curves))["inputs"].shape[1] > 1:
        axes[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)  # clear of the curves
    _labels(axes[:, 0], drawn, exponents, driven, compared)
    labels = {label: line for axis in axes[driven] for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(labels.values(), labels.keys(), loc="outside upper center", ncols=3)
    return figure


def _inputs(axis: plt.Axes, times: np.ndarray, inputs: np.ndarray) -> None:
    for k, values in enumerate(inputs.T):
        axis.plot(times, values, linewidth=1, color=str(0.15 + 0.6 * k / max(inputs.shape[1], 2)), label=external_column(k))


def _labels(axes: Sequence[plt.Axes], drawn: Sequence[int], exponents: Sequence[int], driven: int, compared: bool) -> None:
    if driven:
        axes[0].set_ylabel("input\n[model units]", fontsize=8)
    for place, (k, exponent) in enumerate(zip(drawn, exponents, strict=True)):
        axes[driven + place * (1 + compared)].set_ylabel(f"{state_column(k)}\n[model units]")
        if compared:
            power = f"10{str(exponent).translate(SUPERSCRIPTS)} " if exponent else ""
            axes[driven + 2 * place + 1].set_ylabel(f"circuit − torch\n[{power}units]", fontsize=8)
    axes[0].figure.align_ylabels(axes)


def _exponent(errors: Sequence[np.ndarray]) -> int:
    """Of the power of ten, in thousands, in which the largest error is a number from 0.5 to 500."""
    largest = max(float(np.abs(error).max()) for error in errors)
    return 3 * floor(log10(2 * largest) / 3) if largest else 0
