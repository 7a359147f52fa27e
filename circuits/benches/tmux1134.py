"""Benches of one channel of the TMUX1134 analogue switch."""

from __future__ import annotations

import numpy as np

from circuits.benches.base import SUPPLY, Bench, BenchDeck
from circuits.engine.result import Result

SEEN = "datasheet"
UNVERIFIED = "unverified"  # from memory: no page of the datasheet is at hand
EDGES = {"rises": (0.0, SUPPLY), "falls": (SUPPLY, 0.0)}  # sel before and after [V]
TOGGLE = 100e-9  # s, start of the select edge in the transients


def _deck(name: str, title: str, body: str) -> BenchDeck:
    # abstol: the leakages are as small as its default, 1 pA
    return BenchDeck(name=f"tmux1134_{name}", title=f"tmux1134, {title}", part="tmux1134", options="klu abstol=1e-16",
                     body=f"x_dut d sa sb sel vcc vee tmux1134\n{body.strip()}")


def on_resistance(throw: str) -> BenchDeck:
    """Deck with 10 mA through a throw whose signal is swept over the supply."""
    return _deck(f"on_resistance_{throw}", f"on-resistance of throw {throw}", f"""
v_sel sel 0 {SUPPLY if throw == "a" else 0.0}   ; V
v_s s{throw} 0 0
r_other s{"b" if throw == "a" else "a"} 0 1e6   ; ohm
i_d 0 d 10e-3                                   ; A
.save v(d) v(s{throw})
.dc v_s -2.5 2.5 0.05
""")


def resistance(result: Result, throw: str) -> tuple[np.ndarray, np.ndarray]:
    """Signal voltage [V] and on-resistance [ohm]."""
    w = result.waveforms
    return w.scale, (w["v(d)"] - w[f"v(s{throw})"]) / 10e-3


def _resistance_at(throw: str, volts: float):
    return lambda result: np.interp(volts, *resistance(result, throw))


OFF_LEAKAGE = _deck("off_leakage", "leakage of the open throw, 2.5 V across it", """
v_sel sel 0 0
v_a sa 0 2.5   ; V
v_b sb 0 0
.save i(v_a)
.op
""")

ON_LEAKAGE = _deck("on_leakage", "leakage of the closed throw to the supplies", """
v_sel sel 0 2.5   ; V
v_a sa 0 2.5      ; V
v_b sb 0 2.5      ; V
.save i(v_a)
.op
""")

# Both throws see 20 mV, so that each current is proportional to its throw's conductance
THRESHOLDS = _deck("thresholds", "throws against the select voltage", """
v_sel sel 0 0
v_d d 0 20e-3   ; V
v_a sa 0 0
v_b sb 0 0
.save i(v_a) i(v_b)
.dc v_sel 0 2.5 0.005
""")


def _threshold(vector: str):
    """Measure of the select voltage [V] from which a throw conducts nine tenths of its full current and counts as on."""
    return lambda result: result.waveforms.crossing(vector, 0.9 * result.waveforms[vector].max())


def capacitance(state: str) -> BenchDeck:
    """Deck of the capacitance at throw a and 1 MHz. Throw b is open, so that nothing shunts a channel that is on."""
    return _deck(f"capacitance_{state}", f"capacitance at throw a, {state}", f"""
v_sel sel 0 {SUPPLY if state == "on" else 0.0}   ; V
v_a sa 0 dc 0 ac 1
{"r_b sb 0 1e6" if state == "on" else "v_b sb 0 0"}
.save i(v_a)
.ac lin 1 1e6 1e6
""")


def charge_injection(edge: str) -> BenchDeck:
    """Deck in which the closed throw opens and leaves its charge on 1 nF at d."""
    before, after = EDGES[edge]
    closed, opened = ("sa", "sb") if before else ("sb", "sa")
    return _deck(f"charge_injection_{edge}", f"charge into 1 nF when sel {edge}", f"""
v_sel sel 0 pulse({before} {after} {TOGGLE!r} 10e-9 10e-9 1 2)   ; V, s
v_s {closed} 0 0
r_open {opened} 0 1e12   ; ohm
c_load d 0 1e-9          ; F
.save v(d)
.tran 1e-9 1e-6 0 1e-9
""")


def _charge(result: Result) -> float:
    d = result.waveforms["v(d)"]
    return 1.02e-9 * (d[-1] - d[0])  # 1 nF and the 20 pF of the part itself


def transition(edge: str) -> BenchDeck:
    """Deck with 1 V at both throws, in which d sags while neither conducts."""
    before, after = EDGES[edge]
    return _deck(f"transition_{edge}", f"transition when sel {edge}, 50 ohm and 35 pF", f"""
v_sel sel 0 pulse({before} {after} {TOGGLE!r} 1e-9 1e-9 1 2)   ; V, s
v_a sa 0 1           ; V
v_b sb 0 1           ; V
r_load d 0 50        ; ohm
c_load d 0 35e-12    ; F
.save v(sel) v(d)
.tran 0.1e-9 200e-9 0 0.2e-9
""")


def opening_and_closing(result: Result) -> tuple[float, float]:
    """Seconds from the middle of the select edge until d has lost, and has regained, a tenth of its voltage."""
    w, middle = result.waveforms, TOGGLE + 0.5e-9
    level = 0.9 * w["v(d)"][0]
    opened = w.crossing("v(d)", level, middle)
    return opened - middle, w.crossing("v(d)", level, opened + 1e-9) - middle


def _transition(result: Result) -> float:
    return opening_and_closing(result)[1]


def _break(result: Result) -> float:
    opened, closed = opening_and_closing(result)
    return closed - opened


BREAK = "cannot be met together: transition 12 ns and 8 ns of break-before-make"

BENCHES = (
    *(Bench(property="on-resistance", condition=f"throw {throw}, 0 V, 10 mA", figure=2, unit="ohm", tolerance=0.01, source=SEEN,
            deck=on_resistance(throw), measure=_resistance_at(throw, 0.0)) for throw in "ab"),
    *(Bench(property="on-resistance", condition=f"throw a, {v:+g} V, 10 mA", figure=2.85, unit="ohm", tolerance=0.02,
            source="derived: 2 Ω and the flatness", deck=on_resistance("a"), measure=_resistance_at("a", v))
      for v in (-2.5, 2.5)),
    *(Bench(property="on-resistance flatness", condition=f"throw {throw}, -2.5 to 2.5 V", figure=0.85, unit="ohm",
            tolerance=0.02, source=UNVERIFIED, deck=on_resistance(throw),
            measure=lambda r, throw=throw: np.ptp(resistance(r, throw)[1])) for throw in "ab"),
    Bench(property="off leakage", condition="2.5 V across", figure=3e-12, unit="A", tolerance=0.02, source=SEEN,
          deck=OFF_LEAKAGE, measure=lambda r: -r.waveforms["i(v_a)"][0]),
    Bench(property="on leakage", condition="2.5 V", figure=3e-12, unit="A", tolerance=0.02, source=f"{UNVERIFIED}, 3 to 10 pA",
          deck=ON_LEAKAGE, measure=lambda r: -r.waveforms["i(v_a)"][0]),
    Bench(property="off capacitance", condition="throw, 1 MHz", figure=6e-12, unit="F", source=UNVERIFIED,
          deck=capacitance("off"), measure=lambda r: abs(r.waveforms["i(v_a)"][0].imag) / (2 * np.pi * 1e6)),
    Bench(property="on capacitance", condition="channel, 1 MHz", figure=20e-12, unit="F", source=UNVERIFIED,
          deck=capacitance("on"), measure=lambda r: abs(r.waveforms["i(v_a)"][0].imag) / (2 * np.pi * 1e6)),
    Bench(property="charge injection", condition="1 nF, sel falls", figure=-1e-12, unit="C", source=SEEN,
          deck=charge_injection("falls"), measure=_charge),
    Bench(property="charge injection", condition="1 nF, sel rises", figure=1e-12, unit="C", source=f"{SEEN}, sign reversed",
          deck=charge_injection("rises"), measure=_charge),
    Bench(property="transition", condition="sel rises, 50 Ω, 35 pF", figure=12e-9, unit="s", source=UNVERIFIED,
          deck=transition("rises"), measure=_transition),
    Bench(property="transition", condition="sel falls, 50 Ω, 35 pF", figure=12e-9, unit="s", source=UNVERIFIED,
          deck=transition("falls"), measure=_transition, named=BREAK),
    *(Bench(property="break-before-make", condition=f"sel {edge}, 50 Ω, 35 pF", figure=8e-9, unit="s", source=UNVERIFIED,
            deck=transition(edge), measure=_break, named=BREAK) for edge in EDGES),
    Bench(property="logic threshold, high", condition="throw a on within 10 %", figure=1.49, unit="V", tolerance=0.02,
          source=UNVERIFIED, deck=THRESHOLDS, measure=_threshold("i(v_a)")),
    Bench(property="logic threshold, low", condition="throw b on within 10 %", figure=0.87, unit="V", tolerance=0.02,
          source=UNVERIFIED, deck=THRESHOLDS, measure=_threshold("i(v_b)")),
)
