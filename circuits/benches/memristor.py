"""Benches of the memristor in read mode."""

from __future__ import annotations

from math import sinh

import numpy as np

from circuits.benches.base import Bench, BenchDeck
from circuits.engine.result import Result

WINDOW = (20e-6, 100e-6)  # S, programmable conductances
READ = 0.2  # V, largest read voltage
KAPPAS = (1.0, 2.0)  # 1/V
SINH_G = 50e-6  # S
PAPER = "i = g·v, window of the paper"


def linear(g: float) -> BenchDeck:
    """Deck of the read curve of a linear cell that is programmed to ``g`` [S]."""
    return _read(f"memristor_linear_{g * 1e6:.0f}us", f"memristor g={g!r}")


def nonlinear(g: float, kappa: float) -> BenchDeck:
    """Deck of the read curve of a cell with nonlinearity ``kappa`` [1/V]."""
    return _read(f"memristor_sinh_{kappa:.0f}", f"memristor_sinh g={g!r} kappa={kappa!r}")


def _read(name: str, instance: str) -> BenchDeck:
    # reltol: the excess of the sinh is 0.7 % of a current, which the default of 1e-3 would leave off by 5e-5
    return BenchDeck(name=name, title=f"{instance}, read curve", part="memristor", supply=None,
                     options="klu reltol=1e-6", body=f"""
v_t te 0 0
x_dut te 0 {instance}   ; S, 1/V
.save i(v_t)
.dc v_t {-READ} {READ} 0.01
""")


def curve(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Voltage [V] and current [A]."""
    return result.waveforms.scale, -result.waveforms["i(v_t)"]


def _current_at(volts: float):
    return lambda result: np.interp(volts, *curve(result))


def _excess(g: float, volts: float):
    return lambda result: 100 * (np.interp(volts, *curve(result)) / (g * volts) - 1)


BENCHES = (
    *(Bench(property="read current, linear", condition=f"{g * 1e6:g} µS, {v:+g} V", figure=g * v, unit="A", tolerance=1e-4,
            source=PAPER, deck=linear(g), measure=_current_at(v)) for g in WINDOW for v in (READ, -READ / 2)),
    # kappa is unknown for this material, so only the form of the curve is checked
    *(Bench(property="read current over g·v, sinh", condition=f"κ = {k:g} /V, {v:+g} V",
            figure=100 * (sinh(k * v) / (k * v) - 1), unit="%", tolerance=0.01, source="derived: sinh(κv)/(κv) − 1",
            deck=nonlinear(SINH_G, k), measure=_excess(SINH_G, v)) for k in KAPPAS for v in (READ, -READ)),
)
