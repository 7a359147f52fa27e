"""Benches of the 180 nm select transistor."""

from __future__ import annotations

import numpy as np

from circuits.array.select_transistor import SelectTransistor
from circuits.benches.base import SUPPLY, Bench, BenchDeck
from circuits.engine.result import Result
from circuits.parts import model_parameters

WIDTH, LENGTH = 10e-6, 0.28e-6  # m
V_DS = 20e-3  # V, of the published on-resistance
PDK = "180 nm PDK"  # figures of an open 180 nm PDK whose page is not at hand
SEEN = "GF180MCU specification 1.0"  # its read-the-docs pages, low voltage devices, 10/0.28 um
LEVEL_1 = "derived: level-1 triode"


def _deck(name: str, title: str, body: str) -> BenchDeck:
    return BenchDeck(name=f"nmos_select_{name}", title=f"nmos_select, {title}", part="nmos_select", supply=None, body=body)


def gate_sweep(bulk: float) -> BenchDeck:
    """Deck of the drain current against the gate voltage in triode, with the bulk at ``bulk`` [V]."""
    return _deck("gate_sweep_board" if bulk else "gate_sweep", f"gate swept, drain 20 mV, bulk {bulk:g} V", f"""
v_g g 0 0
v_b b 0 {bulk!r}     ; V
v_d d 0 {V_DS!r}      ; V
m_dut d g 0 b nmos_select w={WIDTH!r} l={LENGTH!r}   ; m
.save i(v_d)
.dc v_g 0.5 3.3 0.05
""")


def drain_sweep(width: float, gate: float, bulk: float) -> BenchDeck:
    """Deck of the drain current against the drain voltage at the board's read levels."""
    return _deck(f"drain_sweep_{width * 1e6:.0f}um", f"drain swept, board bias, {width * 1e6:g} um", f"""
v_g g 0 {gate!r}   ; V
v_b b 0 {bulk!r}   ; V
v_d d 0 0
m_dut d g 0 b nmos_select w={width!r} l={LENGTH!r}   ; m
.save i(v_d)
.dc v_d 1e-3 0.201 0.01
""")


def extreme(name: str, gate: float) -> BenchDeck:
    """Deck of the drain current with 3.3 V at the drain."""
    return _deck(name, f"drain 3.3 V, gate {gate:g} V", f"""
v_g g 0 {gate!r}   ; V
v_d d 0 3.3        ; V
m_dut d g 0 0 nmos_select w={WIDTH!r} l={LENGTH!r}   ; m
.save i(v_d)
.op
""")


def on_resistance(result: Result, drain: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Swept voltage [V] and drain-source resistance [ohm].

    Args:
        drain: fixed voltage of the drain [V]; None: it is the drain that is swept.
    """
    w = result.waveforms
    return w.scale, (w.scale if drain is None else drain) / -w["i(v_d)"]


def triode(gate: float, bulk: float, drain: float, width: float = WIDTH) -> float:
    """Level-1 on-resistance [ohm], source at 0 V: l / (kp w (v_gs - v_th - v_ds / 2)), v_th with body effect."""
    p = model_parameters("nmos_select", "nmos_select")
    v_th = p["vto"] + p["gamma"] * (np.sqrt(p["phi"] - bulk) - np.sqrt(p["phi"]))
    return LENGTH / (p["kp"] * width * (gate - v_th - drain / 2))


def _at_gate(gate: float, scale: float = 1.0):
    return lambda result: scale * np.interp(gate, *on_resistance(result, V_DS))


def _at_drain(drain: float):
    return lambda result: np.interp(drain, *on_resistance(result))


def _threshold(result: Result) -> float:
    """Threshold [V]: linear extrapolation of the drain current from its largest slope, less v_ds / 2."""
    gate, current = result.waveforms.scale, -result.waveforms["i(v_d)"]
    slope = np.gradient(current, gate)
    k = int(np.argmax(slope))
    return gate[k] - current[k] / slope[k] - V_DS / 2


BOARD = SelectTransistor()

BENCHES = (
    Bench(property="on-resistance x width", condition="vgs 3.25 V, vds 20 mV", figure=1.6e-3, unit="ohm m", source=PDK,
          deck=gate_sweep(0.0), measure=_at_gate(3.25, WIDTH)),
    *(Bench(property="on-resistance, 10 µm", condition=f"vgs {v:g} V, vds 20 mV", figure=triode(v, 0.0, V_DS), unit="ohm",
            tolerance=0.005, source=LEVEL_1, deck=gate_sweep(0.0), measure=_at_gate(v)) for v in (1.5, 2.0, 2.5)),
    Bench(property="threshold, linear", condition="vds 20 mV, vsb 0", figure=0.63, unit="V", source=f"{SEEN}, 0.53 to 0.73 V",
          deck=gate_sweep(0.0), measure=_threshold),
    Bench(property="on-resistance, 10 µm, board", condition="vgs 2.5 V, vsb 2.5 V, vds 20 mV",
          figure=triode(SUPPLY, -SUPPLY, V_DS), unit="ohm", tolerance=0.005, source=f"{LEVEL_1}, body effect",
          deck=gate_sweep(-SUPPLY), measure=_at_gate(SUPPLY)),
    # what the compiler takes out, the small-signal resistance at the cell's 20 um, and how it grows with the cell's voltage
    Bench(property="on-resistance, 20 µm, board", condition="vgs 2.5 V, vsb 2.5 V, vds 1 mV", figure=BOARD.on_resistance(),
          unit="ohm", tolerance=0.005, source="compiler, SelectTransistor",
          deck=drain_sweep(BOARD.width, BOARD.gate, BOARD.bulk), measure=_at_drain(1e-3)),
    Bench(property="on-resistance, 20 µm, board", condition="vgs 2.5 V, vsb 2.5 V, vds 0.2 V",
          figure=triode(BOARD.gate, BOARD.bulk, 0.2, BOARD.width), unit="ohm", tolerance=0.005, source=LEVEL_1,
          deck=drain_sweep(BOARD.width, BOARD.gate, BOARD.bulk), measure=_at_drain(0.2)),
    Bench(property="saturation current / width", condition="vgs 3.3 V, vds 3.3 V", figure=510, unit="A/m",
          source=f"{SEEN}, 430 to 590", deck=extreme("saturation", 3.3),
          measure=lambda r: -r.waveforms["i(v_d)"][0] / WIDTH, named="saturation current is not to be trusted"),
    Bench(property="off current / width", condition="vgs 0, vds 3.3 V", figure=1e-6, unit="A/m", source=PDK,
          deck=extreme("off", 0.0), measure=lambda r: -r.waveforms["i(v_d)"][0] / WIDTH,
          named="an unselected cell is exactly open here"),
)
