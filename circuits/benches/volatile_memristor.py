"""Benches of the volatile memristor: what its kinetics must give, since no published cell stands behind it."""

from __future__ import annotations

from math import cosh, tanh

from circuits.benches.base import Bench, BenchDeck
from circuits.engine.result import Result

TAU, V_0 = 10e-3, 0.5  # s, V
G_MIN, G_MAX = 20e-6, 100e-6  # S
READ = 0.1  # V across the channel
STEP = 200e-3  # s, when the drive changes
DERIVED = "derived: the kinetics in the header"


def step(before: float, after: float) -> BenchDeck:
    """Deck of the channel's current while the drive goes from one voltage [V] to another."""
    name = f"volatile_memristor_{before * 1e3:.0f}_to_{after * 1e3:.0f}_mv".replace("-", "m")
    return BenchDeck(name=name, title=f"volatile_memristor, drive from {before:g} to {after:g} V", part="volatile_memristor",
                     supply=None, options="klu reltol=1e-5", body=f"""
v_drive drive 0 pwl(0 {before!r} {STEP!r} {before!r} {STEP + 1e-6!r} {after!r})   ; V, s
v_t te 0 {READ}   ; V
x_dut drive te 0 0 volatile_memristor
.save i(v_t)
.tran 100e-6 400e-3 0 100e-6
""")


def conductance(volts: float) -> float:
    """Channel conductance [S] long after the drive was set to so many volts."""
    return G_MIN + (G_MAX - G_MIN) * (1 + tanh(volts / V_0)) / 2


def _settled(result: Result) -> float:
    return -result.waveforms["i(v_t)"][-1] / READ


def _time(before: float, after: float):
    """Measure of the time [s] in which the conductance makes all but 1/e of its way."""
    level = conductance(after) + (conductance(before) - conductance(after)) / 2.718281828459045
    return lambda result: result.waveforms.crossing("i(v_t)", -level * READ, STEP) - STEP


BENCHES = (
    *(Bench(property="channel conductance", condition=f"drive {after:+g} V", figure=conductance(after), unit="S",
            tolerance=0.002, source=DERIVED, deck=step(before, after), measure=_settled)
      for before, after in ((1.0, 0.0), (0.0, 0.5), (0.0, -0.5))),
    *(Bench(property="time constant", condition=f"drive {before:+g} to {after:+g} V", figure=TAU / cosh(after / V_0), unit="s",
            tolerance=0.01, source=DERIVED, deck=step(before, after), measure=_time(before, after))
      for before, after in ((1.0, 0.0), (0.0, 0.5), (0.0, -0.5))),
)
