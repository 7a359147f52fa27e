"""On-resistance, thresholds and transition of the analogue switch."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt

from circuits.benches import tmux1134
from circuits.engine.result import Result
from cosim.report.style import styled

THROWS = {"a": "#0b5fa5", "b": "#d9480f"}


@styled
def switch_curves(results: Mapping[str, Result]) -> plt.Figure:
    """On-resistance against signal, conductance against select voltage, both transitions.

    Args:
        results: deck's name -> result, from ``circuits.benches.findings.run_benches``.
    """
    figure, (flatness, logic, rises, falls) = plt.subplots(1, 4, figsize=(13.5, 3.6))
    for throw, colour in THROWS.items():
        volts, ohms = tmux1134.resistance(results[tmux1134.on_resistance(throw).name], throw)
        flatness.plot(volts, ohms, color=colour, linewidth=3 if throw == "a" else 1.2, label=f"throw {throw}")
    flatness.set(xlabel="signal voltage [V]", ylabel="on-resistance [Ω]", title="on-resistance, 10 mA", ylim=(1.8, 3.0))
    flatness.legend()

    w = results[tmux1134.THRESHOLDS.name].waveforms
    for throw, colour in THROWS.items():
        logic.semilogy(w.scale, abs(w[f"i(v_{throw})"]) / 20e-3, color=colour, label=f"throw {throw}")
    for volts in (0.87, 1.49):
        logic.axvline(volts, color="0.6", linestyle=":", linewidth=1.2)
    logic.set(xlabel="select voltage [V]", ylabel="conductance [S]", title="logic (dotted: thresholds)")
    logic.legend(loc="center right")

    for axis, edge in ((rises, "rises"), (falls, "falls")):
        w = results[tmux1134.transition(edge).name].waveforms
        since = (w.time - tmux1134.TOGGLE - 0.5e-9) * 1e9
        axis.plot(since, w["v(sel)"], color="0.6", label="select")
        axis.plot(since, w["v(d)"], color="#d9480f", label="common pin d")
        axis.set(xlabel="time after the select edge [ns]", ylabel="voltage [V]", xlim=(-5, 40),
                 title=f"select {edge}, both throws at 1 V")
        axis.legend(loc="center right")
    return figure
