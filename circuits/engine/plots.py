"""Plots: what each plot of a raw file is, which card asked for it, and its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from circuits.engine.door.request import Analysis
from circuits.engine.waveforms import Waveforms

_KINDS = {  # ngspice's name of a plot, its beginning: ours
    "transient": "tran", "ac analysis": "ac", "dc transfer": "dc", "operating point": "op", "noise spectral": "noise",
    "integrated noise": "noise_total", "pole-zero": "pz", "transfer function": "tf", "sensitivity": "sens", "sp analysis": "sp",
    "s parameter": "sp", "time domain periodic": "pss_time", "frequency domain periodic": "pss_frequency"}
_ANALYSIS = {"noise_total": "noise", "pss_time": "pss", "pss_frequency": "pss"}


def plot_kind(plot: str) -> str:
    """Kind of a plot: "tran", "ac", "dc", "op", "noise", "noise_total", "pz", "tf", "sens", "sp", "disto_2nd_harmonic", ..."""
    lower = plot.lower()
    for start, kind in _KINDS.items():
        if lower.startswith(start):
            return kind
    slug = re.sub(r"[^a-z0-9+]+", "_", lower.replace("distortion", "disto")).strip("_")
    return slug or "plot"


def named_plots(plots: Sequence[Waveforms], runs: Sequence[Analysis]) -> tuple[Waveforms, ...]:
    """The plots, in the raw file's order, with their names and cards.

    ngspice runs analyses of one kind last card first (measured, version 46). One of a kind is called by its kind; several are
    numbered in the deck's order, "tran1" for the first card.
    """
    places: dict[str, list[int]] = {}
    for index, plot in enumerate(plots):
        places.setdefault(plot_kind(plot.plot), []).append(index)
    named = list(plots)
    for kind, indices in places.items():
        asked = kind.split("_")[0] if kind.startswith("disto") else _ANALYSIS.get(kind, kind)
        cards = [run.card.text for run in runs if run.kind == asked]
        known = len(cards) == len(indices)
        for number, index in enumerate(reversed(indices) if known else indices):
            named[index] = replace(plots[index], name=kind if len(indices) == 1 else f"{kind}{number + 1}",
                                   card=cards[number] if known else "")
    return tuple(named)
