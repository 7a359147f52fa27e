"""Benches of the 1N4148 diode, for both published parameter sets."""

from __future__ import annotations

from math import log1p

import numpy as np

from circuits.benches.base import Bench, BenchDeck
from circuits.engine.result import Result
from circuits.parts import model_parameters

V_T = 1.380649e-23 * 300.15 / 1.602176634e-19  # V, at ngspice's 27 degC
SETS = {"A": "d1n4148", "B": "d1n4148_b"}
CURRENTS = {"1 µA": 1e-6, "10 µA": 10e-6, "100 µA": 100e-6, "1 mA": 1e-3, "10 mA": 10e-3}  # A


def forward(model: str) -> BenchDeck:
    """Deck of the forward curve."""
    return BenchDeck(name=f"{model}_forward", title=f"{model}, forward curve", part="d1n4148", supply=None, body=f"""
v_a a 0 0
d_dut a 0 {model}
.save i(v_a)
.dc v_a 0.1 1 0.005
""")


def curve(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Voltage [V] and current [A]."""
    return result.waveforms.scale, -result.waveforms["i(v_a)"]


def formula(model: str, current: float) -> float:
    """Forward voltage [V]: n V_T ln(1 + i / is) + rs i (Shockley, with series resistance)."""
    p = model_parameters("d1n4148", model)
    return p["n"] * V_T * log1p(current / p["is"]) + p["rs"] * current


def _voltage_at(current: float):
    def measure(result: Result) -> float:
        v, i = curve(result)
        return np.interp(np.log(current), np.log(i), v)  # on a logarithmic axis an exponential is straight between the points
    return measure


def reverse(model: str) -> BenchDeck:
    """Deck of the leakage at a reverse voltage of 20 V."""
    return BenchDeck(name=f"{model}_reverse", title=f"{model}, reverse leakage", part="d1n4148", supply=None, body=f"""
v_a a 0 -20   ; V
d_dut a 0 {model}
.save i(v_a)
.op
""")


def _benches(letter: str, model: str) -> tuple[Bench, ...]:
    # 1 mV is 2 % of the current; the curves of the two sets differ by 12 mV
    source = f"published set {letter}, formula"
    volts = (Bench(property=f"forward voltage, set {letter}", condition=f"{name}, 27 °C", figure=formula(model, i),
                   unit="V", tolerance=1e-3, absolute=True, source=source, deck=forward(model), measure=_voltage_at(i))
             for name, i in CURRENTS.items())
    leakage = Bench(property=f"reverse leakage, set {letter}", condition="20 V, 27 °C",
                    figure=model_parameters("d1n4148", model)["is"], unit="A", tolerance=0.02,
                    source=f"published set {letter}, is", deck=reverse(model), measure=lambda r: r.waveforms["i(v_a)"][0])
    return (*volts, leakage)


BENCHES = tuple(bench for letter, model in SETS.items() for bench in _benches(letter, model))
