"""Parts against the figures of PARTS.md. Expected values are derived by hand beside each test, not taken from a run."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.parts import model_parameters

from . import bench

VT = 0.025865  # V, k*T/q at ngspice's 27 degC
AOL = 3.16e6  # 130 dB
GBW = 1.1e6  # Hz


def amp(body, **kwargs):
    return bench.deck(body, parts=("opa4990", "d1n4148"), **kwargs)


# op-amp, small signal


def open_loop(tmp_path, c_load):
    """Frequency [Hz] and open-loop gain; the loop is closed at dc only, through 1 GH and 1 MF."""
    r = bench.run(
        amp(f"""vin inp 0 dc 0 ac 1
lservo out inn 1e9
cservo inn 0 1e6
xa inp inn vcc vee out opa4990
cload out 0 {c_load}
.ac dec 50 0.01 1e7
.save v(out) v(inp) v(inn)"""),
        tmp_path,
    )
    return r["frequency"].real, r["v(out)"] / (r["v(inp)"] - r["v(inn)"])


def test_open_loop_gain_and_gain_bandwidth(tmp_path):
    f, a = open_loop(tmp_path, 20e-12)
    # gm*r_dc/2 = aol; corner at gbw/aol = 0.35 Hz, so 0.01 Hz is flat within 0.1 %
    assert_allclose(20 * np.log10(abs(a[0])), 130, atol=0.1)  # dB
    # at 10 kHz the second pole (1.65 MHz) takes 2e-5
    assert_allclose(np.interp(1e4, f, abs(a)) * 1e4, GBW, rtol=0.01)


@pytest.mark.parametrize("c_load", [20e-12, 100e-12, 1e-9])
def test_phase_margin_against_load_capacitance(tmp_path, c_load):
    f, a = open_loop(tmp_path, c_load)
    f_c = np.exp(np.interp(0, -np.log(abs(a)), np.log(f)))
    margin = 180 + np.interp(f_c, f, np.degrees(np.unwrap(np.angle(a))))
    # one pole at f_2 = 1/(2*pi*600*(141p + c_load)) above the integrator: with x = f_c/f_2, x*sqrt(1 + x^2) = gbw/f_2
    ratio = GBW * 2 * np.pi * 600 * (141e-12 + c_load)
    x = np.sqrt((np.sqrt(1 + 4 * ratio**2) - 1) / 2)
    assert_allclose(margin, 90 - np.degrees(np.arctan(x)), atol=1)  # deg; input capacitance, zo of 600.3 ohm
    if c_load == 20e-12:
        assert_allclose(margin, 60, atol=2)  # deg, PARTS.md


def test_open_loop_output_impedance(tmp_path):
    r = bench.run(
        amp("""lservo out inn 1e9
cservo inn 0 1e6
xa 0 inn vcc vee out opa4990
itest 0 out dc 0 ac 1
.ac dec 1 1e3 1e4
.save v(out)"""),
        tmp_path,
    )
    assert_allclose(abs(r["v(out)"]), 600, rtol=0.01)  # PARTS.md; 141 pF shunts it above 1 MHz only


def test_noise(tmp_path):
    (spectrum, _), _ = bench.plots(
        amp("""vin inp 0 dc 0 ac 1
xa inp out vcc vee out opa4990_noisy
.noise v(out) vin dec 20 0.1 1e5""", options=""),
        tmp_path,
    )
    f, e = spectrum["frequency"].real, spectrum["inoise_spectrum"].real
    assert_allclose(np.interp([1e3, 1e4], f, e), [30e-9, 28e-9], rtol=0.05)  # V/sqrt(Hz), PARTS.md
    band = f <= 10.01
    # 27.5n*sqrt(250*ln(100) + 9.9) = 0.94 uV; PARTS.md says 1 uV
    assert_allclose(np.sqrt(np.trapezoid(e[band] ** 2, f[band])), 0.94e-6, rtol=0.03)


# op-amp, dc


@pytest.mark.parametrize("vos", [0.0, 1e-3, -0.3e-3])
def test_offset_and_bias_at_gain_1000(tmp_path, vos):
    r = bench.op(
        amp(f"""rg inn 0 10
rf inn out 9990
xa 0 inn vcc vee out opa4990 vos={vos}
.op
.save v(out)"""),
        tmp_path,
    )
    # gain 1000/(1 + 1000/aol); 10 pA out of the input through 9990 ohm lowers the output by 0.1 uV. rtol: 0.1 mA into
    # 10 kohm drops 0.06 V across the output resistance, which costs 0.06 V/aol at the input, 20 ppm of 1 V
    assert_allclose(r["v(out)"], vos * 1000 / (1 + 1000 / AOL) - 0.1e-6, rtol=3e-5, atol=2e-9)


def test_common_mode_rejection(tmp_path):
    r = bench.op(
        amp("""vcm cm 0 1
eservo inn cm out 0 1
xa cm inn vcc vee out opa4990
.op
.save v(out)"""),
        tmp_path,
    )
    assert_allclose(r["v(out)"], 1 / 5.6e5, rtol=0.01)  # V a V at the input, 115 dB


@pytest.mark.parametrize("rail", ["vcc", "vee"])
def test_supply_rejection(tmp_path, rail):
    r = bench.run(
        amp(f"""xa 0 out vcc vee out opa4990
.dc {rail} {"2.5 3.5 1" if rail == "vcc" else "-3.5 -2.5 1"}
.save v(out)"""),
        tmp_path,
    )
    # half of the step is common mode, half of 1/aol opposes it: 0.89u - 0.16u; PARTS.md: 0.1 to 1 uV/V
    assert_allclose(abs(np.ptp(r["v(out)"])), 0.73e-6, rtol=0.02)


@pytest.mark.parametrize("load", ["vo out 0 0", "rl out 0 1e3", "rl out 0 1e12"])
@pytest.mark.parametrize("v_in", [0.0, 1e-8, 0.5, -0.5])
def test_pin_currents_sum_to_zero(tmp_path, load, v_in):
    pins = ["inp", "inn", "vcc", "vee", "out"]
    probes = "\n".join(f"vp_{pin} {pin} x_{pin} 0" for pin in pins)
    r = bench.op(
        amp(f"""vin inp 0 {v_in}
vref inn 0 0
{load}
{probes}
xa {" ".join("x_" + pin for pin in pins)} opa4990
.op
.save {" ".join(f"i(vp_{pin})" for pin in pins)}"""),
        tmp_path,
    )
    assert abs(sum(r.values())) < 1e-13  # A; gmin (1e-12 S) of the junctions stands between pins too


def test_quiescent_current(tmp_path):
    r = bench.op(
        amp("""xa 0 out vcc vee out opa4990
.op
.save i(vcc) i(vee)"""),
        tmp_path,
    )
    assert_allclose([-r["i(vcc)"], r["i(vee)"]], 120e-6, rtol=0.01)  # A


@pytest.mark.parametrize("sign", [1, -1])
def test_short_circuit_current(tmp_path, sign):
    r = bench.op(
        amp(f"""vin inp 0 {sign}
xa inp 0 vcc vee out opa4990
vo out 0 0
.op
.save i(vo)"""),
        tmp_path,
    )
    assert_allclose(r["i(vo)"], sign * 80e-3, rtol=0.03)  # A


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("r_load", "supply"), [(10e3, 20), (2e3, 20), (10e3, 2.5), (2e3, 2.5)])
def test_swing_from_rail(tmp_path, sign, r_load, supply):
    r = bench.op(
        amp(f"""vin inp 0 {sign}
xa inp 0 vcc vee out opa4990
rl out 0 {r_load}
.op
.save v(out)""", supply=supply),
        tmp_path,
    )
    drop = supply - sign * r["v(out)"]
    # triode at full overdrive u = 3.35 V: i = kp*(u*drop - drop^2/2); the clamp brings 45u*tanh(1.54)
    kp, u = model_parameters("opa4990", "opa4990_source")["kp"], 3.35
    i = (supply - drop) / r_load - 41e-6
    assert_allclose(drop, u - np.sqrt(u**2 - 2 * i / kp), rtol=0.02)
    # PARTS.md: 45 and 200 mV, read as figures at 40 V (see the part's header)
    assert drop < {10e3: 45e-3, 2e3: 205e-3}[r_load]


# op-amp, large signal


def test_slew_rate(tmp_path):
    r = bench.run(
        amp("""vin inp 0 pulse(-5 5 5e-6 1e-9 1e-9 20e-6 1)
xa inp out vcc vee out opa4990
cload out 0 20e-12
rload out 0 10e3
.tran 10e-9 45e-6 0 20e-9
.save v(out)""", supply=20),
        tmp_path,
    )
    t, v = r["time"], r["v(out)"]
    for after in (5e-6, 25e-6):
        slew = 6 / abs(bench.crossing(t, v, 3, after) - bench.crossing(t, v, -3, after))
        assert_allclose(slew, 4.5e6, rtol=0.05)  # V/s; tanh takes 2 % over the middle of a 10 V step
    assert abs(v).max() < 5 * 1.01  # 60 deg: overshoot of a slewed step stays below 1 %


@pytest.mark.parametrize("sign", [1, -1])
def test_overload_recovery(tmp_path, sign):
    r = bench.run(
        amp(f"""vin in 0 pulse({-3 * sign} 0 5e-6 1e-9 1e-9 1 2)
rin in inn 1e3
rf inn out 10e3
xa 0 inn vcc vee out opa4990
cload out 0 20e-12
.tran 5e-9 10e-6 0 10e-9
.save v(out)""", supply=20),
        tmp_path,
    )
    t, v = r["time"], r["v(out)"]
    late = bench.crossing(t, v, v[0] - sign * 2.0, 5e-6) - 5e-6
    # the datasheet's recovery excludes slewing: 2 V at 4.4 V/us. the whole clamp takes 3.3 V / 4.5 V/us = 730 ns, but
    # with the last 0.5 V of overdrive the 10 kohm of feedback already pulls the output off the rail: 620 ns
    assert_allclose(late - 2.0 / 4.4e6, 600e-9, rtol=0.1)  # s


@pytest.mark.parametrize("v_in", [3.0, -3.0])
def test_recovery_from_saturation_on_the_board(tmp_path, v_in):
    r = bench.run(
        amp(f"""vin in 0 pulse({v_in} 0.1 50e-6 1e-9 1e-9 1 2)
rin in inn 10e3
rf inn out 10e3
xa 0 inn vcc vee out opa4990
rload out 0 1e3
.tran 50e-9 100e-6 0 100e-9
.save v(out)"""),
        tmp_path,
    )
    assert abs(r["v(out)"]).max() < 2.5 + 5e-3  # V; the clamp's 45 uA * 20 ohm pass the rail by 1 mV
    assert_allclose(r["v(out)"][-1], -0.1, atol=1e-6)


# circuits of op-amps


def test_inverting_amplifier(tmp_path):
    r = bench.op(
        amp("""vin in 0 0.2
rin in inn 10e3
rf inn out 10e3
xa 0 inn vcc vee out opa4990 ib=0
rload out 0 1e3
.op
.save v(out)"""),
        tmp_path,
    )
    # 0.2 V drives 0.22 mA: 0.11 V at 400 to 600 ohm, so the input needs (0.2 + 0.11)/aol = 0.1 uV, doubled at gain -1
    assert_allclose(r["v(out)"], -0.2 + 0.2e-6, atol=0.05e-6)


def test_tia_into_1_kohm(tmp_path):
    r = bench.op(
        amp("""iin 0 sl 20e-6
rf sl out 10e3
xa 0 sl vcc vee out opa4990 ib=0
rload out 0 1e3
.op
.save v(out) v(sl)"""),
        tmp_path,
    )
    assert_allclose(r["v(out)"], -0.2, atol=0.15e-6)  # V, as above at gain 1
    assert_allclose(r["v(sl)"], 0.1e-6, atol=0.02e-6)


RECTIFIER = """rf sl line 10e3
xa 0 sl vcc vee op_out opa4990 ib=0
don line op_out d1n4148
doff op_out sl d1n4148
rload line 0 1e3
"""


@pytest.mark.parametrize("i", [-100e-6, -1e-6, 0.0, 1e-6, 20e-6])
def test_rectifier_static(tmp_path, i):
    r = bench.op(amp(f"iin 0 sl {i}\n{RECTIFIER}.op\n.save v(line)"), tmp_path)
    # the blocking diode leaks is = 2.52 nA: i > 0 through rf (25 uV); i < 0 through 10 kohm parallel 1 kohm (2.3 uV)
    leak = 2.52e-9 * (10e3 if i > 0 else 909) * np.sign(i)
    assert_allclose(r["v(line)"], -10e3 * max(0, i) + leak * np.sign(i), atol=1e-6)


def test_rectifier_crossover(tmp_path):
    f, peak, r_s = 100, 20e-6, 5e3
    r = bench.run(
        amp(f"""iin 0 sl sin(0 {peak} {f})
rs sl 0 {r_s}
{RECTIFIER}.tran 20e-6 30e-3 0 20e-6
.save v(line) v(op_out)"""),
        tmp_path,
    )
    t = np.linspace(0, 30e-3, 30001)
    error = np.abs(np.interp(t, r["time"], r["v(line)"]) + 10e3 * np.maximum(0, peak * np.sin(2 * np.pi * f * t)))
    # while both diodes are off the op-amp integrates i*r_s at 2*pi*gbw across two diode drops, about 0.8 V:
    # 0.8 = pi*gbw*r_s*(peak*2*pi*f)*t^2, t = 61 us, and the input has moved 10k*peak*2*pi*f*t = 7.6 mV by then
    dead = np.sqrt(0.8 / (np.pi * GBW * r_s * peak * 2 * np.pi * f))
    expected = 10e3 * peak * 2 * np.pi * f * dead
    assert_allclose(error.max(), expected, rtol=0.35)
    # and only around the two crossings of a 10 ms period; elsewhere 3*f/gbw of 0.2 V and the diode's curve: < 0.5 mV
    assert np.mean(error > 0.5e-3) < 2 * 2 * dead * f


def test_integrator(tmp_path):
    r = bench.run(
        amp("""vin in 0 pwl(0 0 1e-3 0 1.001e-3 0.1)
rin in sum 1e6
cint sum out 1e-6
xa 0 sum vcc vee out opa4990 ib=0
rload out 0 1e3
.ic v(out)=0 v(sum)=0
.tran 1e-3 1 0 1e-3
.save v(out)"""),
        tmp_path,
    )
    t, v = r["time"], r["v(out)"]
    ideal = -0.1 * np.clip(t - 1.0005e-3, 0, None)
    # the edge's 0.1 uA passes zo = 600 ohm until the loop answers, up to 60 uV for some microseconds
    settled = (t < 0.9e-3) | (t > 1.02e-3)
    assert_allclose(v, ideal, atol=60e-6)
    # the leak, 1/(aol*rc) of at most 0.1 V in 1 s, is 0.02 uV; the rest is the solver's tolerance, V
    assert_allclose(v[settled], ideal[settled], atol=1e-6)
    assert len(t) < 1200  # points; a quiet op-amp does not hold the step below the requested 1 ms


CHAIN = 60


def chain(source):
    rows = [f"vin n0 0 {source}"]
    for k in range(CHAIN):
        rows += [f"ra{k} n{k} s{k} 10e3", f"rb{k} s{k} n{k + 1} 10e3", f"x{k} 0 s{k} vcc vee n{k + 1} opa4990 ib=0"]
    return "\n".join(rows) + f"\n.save v(n1) v(n{CHAIN})\n"


@pytest.mark.parametrize("v_in", [0.0, 0.2, -2.0])
def test_chain_operating_point(tmp_path, v_in):
    r = bench.op(amp(chain(v_in) + ".op"), tmp_path)
    # each stage loses 2*(1 + zo*1.5/10k)/aol, 60 stages about 40 ppm
    assert_allclose(r[f"v(n{CHAIN})"], v_in, rtol=60e-6, atol=1e-9)


@pytest.mark.parametrize("v_in", [3.0, -5.0])
def test_chain_operating_point_saturated(tmp_path, v_in):
    r = bench.op(amp(chain(v_in) + ".op"), tmp_path)
    # the first output stops 4 mV short of its rail and is followed by the rest
    assert_allclose(r["v(n1)"], -np.sign(v_in) * 2.49, atol=5e-3)
    assert_allclose(r[f"v(n{CHAIN})"], np.sign(v_in) * 2.487, atol=8e-3)


def test_chain_transient_cost(tmp_path):
    (r,), log = bench.plots(amp(chain("sin(0 1 1e3)") + ".tran 2e-6 3e-3 0 2e-6", options="klu acct"), tmp_path)
    iterations = int(re.search(r"Transient iterations = (\d+)", log)[1])
    rejected = int(re.search(r"Rejected timepoints = (\d+)", log)[1])
    assert iterations / len(r["time"]) < 2.5  # newton iterations a point, predictor and one correction
    assert rejected < 0.01 * len(r["time"])
    assert int(re.search(r"Circuit Equations = (\d+)", log)[1]) < 1 + 3 * CHAIN + 8  # one internal node an op-amp


# diode


@pytest.mark.parametrize("model", ["d1n4148", "d1n4148_b"])
@pytest.mark.parametrize("i", [10e-6, 1e-3])
def test_diode_forward_voltage(tmp_path, model, i):
    r = bench.op(bench.deck(f"iin 0 a {i}\nda a 0 {model}\n.op\n.save v(a)", parts=("d1n4148",)), tmp_path)
    p = model_parameters("d1n4148", model)
    assert_allclose(r["v(a)"], p["n"] * VT * np.log1p(i / p["is"]) + p["rs"] * i, rtol=1e-3)
    # header: the published sets differ by less than 30 mV
    assert_allclose(r["v(a)"], {10e-6: 0.378, 1e-3: 0.597}[i], atol=0.015)


def test_diode_reverse_recovery_charge(tmp_path):
    r = bench.run(
        bench.deck(
            """vin in 0 pulse(5 -5 1e-6 1e-9 1e-9 1 2)
rin in a 1e3
da a 0 d1n4148
.tran 0.1e-9 1.2e-6 0 0.2e-9
.save v(a)""",
            parts=("d1n4148",),
        ),
        tmp_path,
    )
    # storage time tt*ln(1 + i_f/i_r): i_f = 4.35 mA, i_r = 5.65 mA
    storage = 20e-9 * np.log(1 + 4.35 / 5.65)
    assert_allclose(bench.crossing(r["time"], r["v(a)"], 0.0, 1e-6) - 1e-6, storage, atol=3e-9)


# switch


def switch(body):
    return bench.deck(body + "\nx d sa sb sel vcc vee tmux1134", parts=("tmux1134",))


@pytest.mark.parametrize(("sel", "other"), [(2.5, "sb"), (1.49, "sb"), (0.0, "sa"), (0.87, "sa")])
@pytest.mark.parametrize("v", [-2.5, -0.2, 0.0, 0.2, 2.5])
def test_switch_on_resistance(tmp_path, sel, other, v):
    r = bench.op(
        switch(f"""vsel sel 0 {sel}
va sa 0 {v}
vb sb 0 {v}
id 0 d 10e-3
.op
.save v(d) i(va) i(vb)"""),
        tmp_path,
    )
    # 2 ohm at 0 V, 2 + 0.986*6.25/7.25 = 2.85 ohm at 2.5 V; at a threshold within 10 %
    v_d = v + 0.02
    expected = 2 + 0.986 * v_d**2 / (1 + v_d**2)
    assert_allclose((r["v(d)"] - v) / 10e-3, expected, rtol=0.1 if sel in (1.49, 0.87) else 0.01)
    assert abs(r["i(va)" if other == "sa" else "i(vb)"]) < 1e-12  # A, the other throw is off


def test_switch_leakage(tmp_path):
    r = bench.op(
        switch("""vsel sel 0 0
va sa 0 2.5
vb sb 0 0
.op
.save i(va) v(d)"""),
        tmp_path,
    )
    assert_allclose(-r["i(va)"], 3e-12, rtol=0.01)  # A, PARTS.md
    on = bench.op(
        switch("""vsel sel 0 2.5
va sa 0 2.5
vb sb 0 2.5
.op
.save i(va)"""),
        tmp_path,
    )
    assert_allclose(-on["i(va)"], 3e-12, rtol=0.01)  # 5 V / 1.67e12 ohm


@pytest.mark.parametrize("sel", [0.0, 1.18, 2.5])
def test_switch_leaves_no_node_floating(tmp_path, sel):
    r = bench.op(switch(f"vsel sel 0 {sel}\n.op\n.save v(d) v(sa) v(sb)"), tmp_path)
    assert_allclose(list(r.values()), 0, atol=1e-3)  # V, held at mid-supply by the leakage


@pytest.mark.parametrize("edge", [(2.5, 0.0), (0.0, 2.5)])
def test_switch_charge_injection(tmp_path, edge):
    closed, opened = ("sa", "sb") if edge[0] else ("sb", "sa")
    r = bench.run(
        switch(f"""vsel sel 0 pulse({edge[0]} {edge[1]} 100e-9 10e-9 10e-9 1 2)
vs {closed} 0 0
ro {opened} 0 1e12
cl d 0 1e-9
.tran 1e-9 1e-6 0 1e-9
.save v(d)"""),
        tmp_path,
    )
    charge = 1.02e-9 * (r["v(d)"][-1] - r["v(d)"][0])  # C, 1 nF and the part's own 20 pF
    assert_allclose(charge, np.sign(edge[1] - edge[0]) * 1e-12, rtol=0.1)


def test_switch_breaks_before_it_makes(tmp_path):
    r = bench.run(
        switch("""vsel sel 0 pulse(0 2.5 100e-9 1e-9 1e-9 200e-9 1)
va sa 0 1
vb sb 0 1
rl d 0 50
cl d 0 35e-12
.tran 0.1e-9 400e-9 0 0.2e-9
.save v(d)"""),
        tmp_path,
    )
    t, v = r["time"], r["v(d)"]
    for edge, v_open, v_close in ((100.5e-9, 0.93 / 2.5, 1.43 / 2.5), (301.5e-9, 1 - 1.43 / 2.5, 1 - 0.93 / 2.5)):
        opened = bench.crossing(t, v, 0.9 * v[0], edge) - edge
        made = bench.crossing(t, v, 0.9 * v[0], edge + opened + 1e-9) - edge
        # the gate is 14 ns behind sel; 55 pF at d recharge through a throw that is still closing, some 20 ohm: 1 ns
        assert_allclose(opened, -14e-9 * np.log(1 - v_open), atol=1.5e-9)
        assert_allclose(made, -14e-9 * np.log(1 - v_close), atol=1.5e-9)
        assert_allclose(made, 12e-9, rtol=0.3)  # PARTS.md, unverified
        assert made - opened > 6e-9  # PARTS.md: 8 ns, unverified


def test_switch_converges_in_a_slow_run(tmp_path):
    (r,), log = bench.plots(
        switch("""vsel sel 0 pulse(0 2.5 5e-3 10e-9 10e-9 1 2)
va sa 0 0.2
vb sb 0 -0.2
cl d 0 1e-6
.tran 1e-3 0.1 0 1e-3
.save v(d)
.options acct"""),
        tmp_path,
    )
    assert_allclose(r["v(d)"][[0, -1]], [-0.2, 0.2], atol=1e-6)
    assert int(re.search(r"Transient iterations = (\d+)", log)[1]) < 2000


# select transistor


@pytest.mark.parametrize(
    ("gate", "bulk", "expected"),
    [
        (3.25, 0.0, 160.0),  # PARTS.md: 1.6 kohm*um, W = 10 um
        # board: vth = 0.615 + 0.446*(sqrt(0.8 + 2.5) - sqrt(0.8)) = 1.0263 V; 0.28/(10*66.67u*(2.5 - 1.0263 - 0.01))
        (2.5, -2.5, 286.9),
    ],
)
def test_select_transistor_on_resistance(tmp_path, gate, bulk, expected):
    r = bench.op(
        bench.deck(
            f"""vg g 0 {gate}
vb b 0 {bulk}
vd d 0 20e-3
m1 d g 0 b nmos_select w=10e-6 l=0.28e-6
.op
.save i(vd)""",
            parts=("nmos_select",),
        ),
        tmp_path,
    )
    assert_allclose(20e-3 / -r["i(vd)"], expected, rtol=1e-3)


def test_select_transistor_off(tmp_path):
    r = bench.op(
        bench.deck(
            """vg g 0 -2.5
vb b 0 -2.5
vd d 0 0.2
m1 d g 0 b nmos_select w=10e-6 l=0.28e-6
.op
.save i(vd)""",
            parts=("nmos_select",),
        ),
        tmp_path,
    )
    assert abs(r["i(vd)"]) < 5e-12  # A, gmin across the junction at 2.7 V


# memristor


@pytest.mark.parametrize("g", [20e-6, 100e-6])
@pytest.mark.parametrize("v", [0.2, -0.1])
def test_memristor_is_linear(tmp_path, g, v):
    r = bench.op(
        bench.deck(f"vt te 0 {v}\nx te 0 memristor g={g}\n.op\n.save i(vt)", parts=("memristor",)), tmp_path
    )
    assert_allclose(-r["i(vt)"], g * v, rtol=1e-9)


@pytest.mark.parametrize(("kappa", "excess"), [(1, 0.0067), (2, 0.027)])
@pytest.mark.parametrize("sign", [1, -1])
def test_memristor_sinh(tmp_path, kappa, excess, sign):
    r = bench.op(
        bench.deck(
            f"vt te 0 {sign * 0.2}\nx te 0 memristor_sinh g=50e-6 kappa={kappa}\n.op\n.save i(vt)", parts=("memristor",)
        ),
        tmp_path,
    )
    assert_allclose(-r["i(vt)"], 50e-6 * np.sinh(kappa * sign * 0.2) / kappa, rtol=1e-6)
    assert_allclose(-r["i(vt)"] / (50e-6 * sign * 0.2) - 1, excess, rtol=0.02)  # PARTS.md
