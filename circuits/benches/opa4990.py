"""Benches of the OPA4990 op-amp."""

from __future__ import annotations

from math import atan, degrees, pi, sqrt

import numpy as np

from circuits.benches.base import Bench, BenchDeck
from circuits.engine.result import Result

FRONT = "datasheet front page"
UNVERIFIED = "unverified"  # from memory: no page of the datasheet is at hand
HIGH = 20.0  # V, supply of the datasheet's tables (40 V)
GBW, Z_O, C_OUT = 1.1e6, 600.0, 141e-12  # Hz, ohm, F: see the part's header


def _deck(name: str, title: str, body: str, **more) -> BenchDeck:
    return BenchDeck(name=f"opa4990_{name}", title=f"opa4990, {title}", part="opa4990", body=body, **more)


# Small signal: the loop is closed only at dc, through 1 GH and 1 MF

def open_loop(c_load: float) -> BenchDeck:
    """Deck of the open-loop gain v(out) / (v(inp) - v(inn)) with ``c_load`` [F] at the output."""
    return _deck(f"open_loop_{c_load * 1e12:.0f}pf", f"open-loop gain, {c_load * 1e12:.0f} pF", f"""
v_in inp 0 dc 0 ac 1
l_servo out inn 1e9    ; H, closes the loop at dc
c_servo inn 0 1e6      ; F, opens it from 1e-8 Hz on
x_dut inp inn vcc vee out opa4990
c_load out 0 {c_load!r}  ; F
.save v(out) v(inp) v(inn)
.ac dec 50 0.01 1e7
""")


def gain(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Frequency [Hz] and complex open-loop gain of an ``open_loop`` deck."""
    w = result.waveforms
    return w.scale, w["v(out)"] / (w["v(inp)"] - w["v(inn)"])


def _dc_gain(result: Result) -> float:
    return 20 * np.log10(abs(gain(result)[1][0]))


def _gain_bandwidth(result: Result) -> float:
    f, a = gain(result)
    return np.interp(1e4, f, abs(a)) * 1e4


def phase_margin(result: Result) -> float:
    """Phase margin at unity gain [deg]."""
    f, a = gain(result)
    crossover = np.exp(np.interp(0, -np.log(abs(a)), np.log(f)))
    return 180 + np.interp(crossover, f, np.degrees(np.unwrap(np.angle(a))))


def _derived_margin(c_load: float) -> float:
    # a single pole at f_2 above the integrator: with x = f_c / f_2, x sqrt(1 + x^2) = gbw / f_2
    ratio = GBW * 2 * pi * Z_O * (C_OUT + c_load)
    return 90 - degrees(atan(sqrt((sqrt(1 + 4 * ratio**2) - 1) / 2)))


OUTPUT_IMPEDANCE = _deck("output_impedance", "open-loop output impedance", """
l_servo out inn 1e9    ; H
c_servo inn 0 1e6      ; F
x_dut 0 inn vcc vee out opa4990
i_test 0 out dc 0 ac 1
.save v(out)
.ac dec 1 1e3 1e4
""")

NOISE = _deck("noise", "input noise density, unity gain; .noise refuses klu", """
v_in inp 0 dc 0 ac 1
x_dut inp out vcc vee out opa4990_noisy
.save all
.noise v(out) v_in dec 20 0.1 1e5
""", options="sparse")


def noise_density(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Frequency [Hz] and input-referred noise density [V/sqrt(Hz)]."""
    spectrum = result.plots[0]
    return spectrum.scale, spectrum["inoise_spectrum"].real


def _noise_at(frequency: float):
    return lambda result: np.interp(frequency, *noise_density(result))


def _flicker(result: Result) -> float:
    f, e = noise_density(result)
    band = f <= 10.01
    return np.sqrt(np.trapezoid(e[band] ** 2, f[band]))


# Direct current

def offset(vos: float) -> BenchDeck:
    """Deck with a gain of 1000 and an input offset of ``vos`` [V]."""
    return _deck(f"offset_{'high' if vos > 0 else 'low'}", f"offset at a gain of 1000, vos = {vos!r} V", f"""
r_g inn 0 10       ; ohm
r_f inn out 9990   ; ohm
x_dut 0 inn vcc vee out opa4990 vos={vos!r}  ; V
.save v(out)
.op
""")


COMMON_MODE = _deck("common_mode", "common-mode rejection: the servo makes v(out) the input error", """
v_cm cm 0 1            ; V
e_servo inn cm out 0 1
x_dut cm inn vcc vee out opa4990
.save v(out)
.op
""")

QUIET = _deck("quiet", "supply and bias current, unity gain, no load", """
v_in inp 0 0
x_dut inp out vcc vee out opa4990
.save i(v_cc) i(v_ee) i(v_in)
.op
""")

PINS = ("inp", "inn", "vcc", "vee", "out")


def _probed(name: str, inp: str, inn: str, out: str) -> str:
    nets = dict(zip(PINS, (inp, inn, "vcc", "vee", out), strict=True))
    probes = [f"v_{name}_{pin} {net} {name}_{pin} 0" for pin, net in nets.items()]
    return "\n".join([*probes, f"x_{name} {' '.join(f'{name}_{pin}' for pin in PINS)} opa4990"])


LOADS = ("loaded", "open", "shorted")
# A follower into 1 kohm, a follower without load and a comparator into a short circuit, through zero and into both rails
CURRENT_BALANCE = _deck("current_balance", "currents into the five pins of three op-amps", f"""
v_in inp 0 0
{_probed("loaded", "inp", "out1", "out1")}
r_load out1 0 1e3   ; ohm
{_probed("open", "inp", "out2", "out2")}
{_probed("shorted", "inp", "0", "out3")}
v_short out3 0 0
.save {" ".join(f"i(v_{load}_{pin})" for load in LOADS for pin in PINS)}
.dc v_in -3 3 0.25
""")


def imbalance(result: Result, loads: tuple[str, ...] = LOADS) -> float:
    """Largest sum of the pin currents [A] of any op-amp at any input."""
    w = result.waveforms
    return max(abs(sum(w[f"i(v_{load}_{pin})"] for pin in PINS)).max() for load in loads)


def short_circuit(sign: int) -> BenchDeck:
    """Deck with the output held at 0 V while the input asks for a rail."""
    return _deck(f"short_circuit_{'source' if sign > 0 else 'sink'}", "output into a short circuit", f"""
v_in inp 0 {sign}   ; V
x_dut inp 0 vcc vee out opa4990
v_short out 0 0
.save i(v_short)
.op
""")


def swing(sign: int, r_load: float, supply: float) -> BenchDeck:
    """Deck with the output driven into a rail and ``r_load`` [ohm] to mid-supply."""
    rail = "high" if sign > 0 else "low"
    return _deck(f"swing_{rail}_{r_load / 1e3:.0f}k_{supply * 2:.0f}v", f"{rail} rail, {r_load / 1e3:g} kohm", f"""
v_in inp 0 {sign}    ; V
x_dut inp 0 vcc vee out opa4990
r_load out 0 {r_load!r}  ; ohm
.save v(out)
.op
""", supply=supply)


# Large signal

SLEW = _deck("slew_rate", "10 V step at unity gain, 20 pF and 10 kohm", """
v_in inp 0 pulse(-5 5 5e-6 1e-9 1e-9 20e-6 1)   ; V, s
x_dut inp out vcc vee out opa4990
c_load out 0 20e-12  ; F
r_load out 0 10e3    ; ohm
.save v(inp) v(out)
.tran 10e-9 45e-6 0 20e-9
""", supply=HIGH)


def slew(rising: bool):
    """Measure of the slope [V/s] over the middle of the step, 6 of its 10 V."""
    def measure(result: Result) -> float:
        w, edge = result.waveforms, 5e-6 if rising else 25e-6
        return 6 / abs(w.crossing("v(out)", 3, edge) - w.crossing("v(out)", -3, edge))
    return measure


def overload(sign: int) -> BenchDeck:
    """Deck with an inverting gain of 10 that leaves the ``sign`` rail when its input returns to 0 V."""
    return _deck(f"overload_{'high' if sign > 0 else 'low'}", "recovery from a rail, gain -10", f"""
v_in in 0 pulse({-3 * sign} 0 5e-6 1e-9 1e-9 1 2)   ; V, s
r_in in inn 1e3      ; ohm
r_f inn out 10e3     ; ohm
x_dut 0 inn vcc vee out opa4990
c_load out 0 20e-12  ; F
.save v(out)
.tran 5e-9 10e-6 0 10e-9
""", supply=HIGH)


def _recovery(sign: int):
    def measure(result: Result) -> float:
        w = result.waveforms
        late = w.crossing("v(out)", w["v(out)"][0] - sign * 2.0, 5e-6) - 5e-6
        return late - 2.0 / 4.4e6  # the datasheet's recovery excludes slewing: 2 V at the model's 4.4 V/us
    return measure


def _swing_bench(sign: int, r_load: float, figure: float, supply: float, **more) -> Bench:
    rail = "high" if sign > 0 else "low"
    return Bench(property=f"swing from the {rail} rail", condition=f"{r_load / 1e3:g} kΩ, ±{supply:g} V", figure=figure,
                 unit="V", source=f"{UNVERIFIED}, no supply given", deck=swing(sign, r_load, supply),
                 measure=lambda r: supply - sign * r.waveforms["v(out)"][0], **more)


TOGETHER = "cannot be met together swing 45 mv (10 kohm) and 200 mv (2 kohm) from the rail"

BENCHES = (
    Bench(property="open-loop gain", condition="dc", figure=130, unit="dB", tolerance=0.5, absolute=True, source=UNVERIFIED,
          deck=open_loop(20e-12), measure=_dc_gain),
    Bench(property="gain-bandwidth", condition="10 kHz", figure=GBW, unit="Hz", tolerance=0.02, source=FRONT,
          deck=open_loop(20e-12), measure=_gain_bandwidth),
    Bench(property="phase margin", condition="G = 1, 20 pF", figure=60, unit="deg", tolerance=0.03, source=UNVERIFIED,
          deck=open_loop(20e-12), measure=phase_margin),
    *(Bench(property="phase margin", condition=f"G = 1, {c * 1e12:.0f} pF", figure=_derived_margin(c), unit="deg",
            tolerance=0.05, source="derived: 60° at 20 pF, 600 Ω", deck=open_loop(c), measure=phase_margin)
      for c in (100e-12, 1e-9)),
    Bench(property="open-loop output impedance", condition="1 kHz", figure=Z_O, unit="ohm", tolerance=0.02, source=UNVERIFIED,
          deck=OUTPUT_IMPEDANCE, measure=lambda r: abs(r.waveforms["v(out)"][0])),
    *(Bench(property=f"slew rate, {way}", condition="10 V step, ±20 V", figure=4.5e6, unit="V/s", tolerance=0.05,
            source=FRONT, deck=SLEW, measure=slew(way == "rising")) for way in ("rising", "falling")),
    *(Bench(property="input offset", condition=f"G = 1000, vos = {v * 1e3:+g} mV", figure=v, unit="V", tolerance=0.01,
            source=f"{FRONT}, ±0.3 mV", deck=offset(v), measure=lambda r: r.waveforms["v(out)"][0] / 1000)
      for v in (0.3e-3, -0.3e-3)),
    Bench(property="input bias current", condition="0 V", figure=10e-12, unit="A", tolerance=0.02, source=FRONT, deck=QUIET,
          measure=lambda r: r.waveforms["i(v_in)"][0]),
    Bench(property="noise density", condition="1 kHz", figure=30e-9, unit="V/sqrt(Hz)", tolerance=0.05, source=FRONT,
          deck=NOISE, measure=_noise_at(1e3)),
    Bench(property="noise density", condition="10 kHz", figure=28e-9, unit="V/sqrt(Hz)", tolerance=0.05, source=UNVERIFIED,
          deck=NOISE, measure=_noise_at(1e4)),
    Bench(property="noise, rms", condition="0.1 to 10 Hz", figure=1e-6, unit="V", source=UNVERIFIED, deck=NOISE,
          measure=_flicker),
    Bench(property="common-mode rejection", condition="1 V", figure=115, unit="dB", tolerance=0.5, absolute=True, source=FRONT,
          deck=COMMON_MODE, measure=lambda r: -20 * np.log10(abs(r.waveforms["v(out)"][0]))),
    *(_swing_bench(sign, 10e3, 45e-3, HIGH, named=TOGETHER) for sign in (1, -1)),
    *(_swing_bench(sign, 2e3, 200e-3, HIGH) for sign in (1, -1)),
    *(_swing_bench(sign, r, figure, 2.5, named=TOGETHER) for r, figure in ((10e3, 45e-3), (2e3, 200e-3)) for sign in (1, -1)),
    *(Bench(property=f"short-circuit current, {'source' if sign > 0 else 'sink'}", condition="±2.5 V, output at 0 V",
            figure=sign * 80e-3, unit="A", tolerance=0.03, source=f"{FRONT}, ±80 mA", deck=short_circuit(sign),
            measure=lambda r: r.waveforms["i(v_short)"][0]) for sign in (1, -1)),
    *(Bench(property=f"overload recovery, {'high' if sign > 0 else 'low'} rail", condition="G = -10, ±20 V, without slewing",
            figure=600e-9, unit="s", source="datasheet SBOS933I", deck=overload(sign), measure=_recovery(sign))
      for sign in (1, -1)),
    Bench(property="quiescent current", condition="no load", figure=120e-6, unit="A", tolerance=0.01, source=FRONT, deck=QUIET,
          measure=lambda r: -r.waveforms["i(v_cc)"][0]),
    # gmin is between pins too, so that only rounding is left: 2.2e-16 of 2.5 mA, times the followers' loop gain of 3e6
    Bench(property="sum of the pin currents", condition="1 kΩ, open, shorted; -3 to 3 V", figure=0, unit="A", tolerance=1e-11,
          absolute=True, source="Kirchhoff", deck=CURRENT_BALANCE, measure=imbalance),
)
