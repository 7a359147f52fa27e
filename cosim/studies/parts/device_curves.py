"""Diode, select transistor and memristor."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from circuits.benches import d1n4148, memristor, nmos_select
from circuits.benches.base import SUPPLY
from circuits.engine.result import Result
from cosim.report.style import styled
from cosim.studies.parts.op_amp_curves import WANTED


@styled
def device_curves(results: Mapping[str, Result]) -> plt.Figure:
    """Forward curves of both diode sets, on-resistance against gate voltage, read curves, the sinh form's excess.

    Args:
        results: deck's name -> result, from ``circuits.benches.findings.run_benches``.
    """
    figure, (diode, transistor, read, excess) = plt.subplots(1, 4, figsize=(13.5, 3.6))
    for (letter, model), colour in zip(d1n4148.SETS.items(), ("#0b5fa5", "#d9480f"), strict=True):
        volts, amperes = d1n4148.curve(results[d1n4148.forward(model).name])
        diode.semilogy(volts, amperes, color=colour, label=f"set {letter}")
        for current in d1n4148.CURRENTS.values():
            diode.plot(d1n4148.formula(model, current), current, **{**WANTED, "label": None, "color": colour})
    diode.set(xlabel="forward voltage [V]", ylabel="current [A]", title="1N4148 (points: formula)")
    diode.legend()

    for bulk, colour, name in ((0.0, "#0b5fa5", "bulk at 0 V"), (-SUPPLY, "#d9480f", "bulk at −2.5 V")):
        volts, ohms = nmos_select.on_resistance(results[nmos_select.gate_sweep(bulk).name], nmos_select.V_DS)
        on = ohms < 2e3
        transistor.plot(volts[on], ohms[on], color=colour, label=name)
    transistor.plot(3.25, 160, **WANTED)
    transistor.set(xlabel="gate voltage [V]", ylabel="on-resistance [Ω]", title="select transistor, 10 µm", ylim=(0, 1000))
    transistor.legend()

    for g, colour in zip(memristor.WINDOW, ("#0b5fa5", "#d9480f"), strict=True):
        volts, amperes = memristor.curve(results[memristor.linear(g).name])
        read.plot(volts, amperes * 1e6, color=colour, label=f"{g * 1e6:.0f} µS")
    read.set(xlabel="voltage [V]", ylabel="current [µA]", title="memristor, read, linear")
    read.legend()

    g = memristor.SINH_G
    for kappa, colour in zip(memristor.KAPPAS, ("#5c940d", "#862e9c"), strict=True):
        volts, amperes = memristor.curve(results[memristor.nonlinear(g, kappa).name])
        some = np.abs(volts) > 1e-3
        excess.plot(volts[some], 100 * (amperes[some] / (g * volts[some]) - 1), color=colour, label=f"κ = {kappa:g} /V")
    excess.set(xlabel="voltage [V]", ylabel="current over g·v [%]", title="memristor, read, sinh")
    excess.legend()
    return figure
