"""Parts in the circuits that use them. Expected values are derived by hand beside each test, not taken from a run.

A part's own published properties are its benches: test_part_benches.py.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from . import bench

VT = 0.025865  # V, k*T/q at ngspice's 27 degC
AOL = 3.16e6  # 130 dB
GBW = 1.1e6  # Hz


def amp(body, **kwargs):
    return bench.deck(body, parts=("opa4990", "d1n4148"), **kwargs)


# op-amp


@pytest.mark.parametrize("rail", ["v_cc", "v_ee"])
def test_supply_rejection(tmp_path, rail):
    r = bench.run(
        amp(f"""xa 0 out vcc vee out opa4990
.dc {rail} {"2.5 3.5 1" if rail == "v_cc" else "-3.5 -2.5 1"}
.save v(out)"""),
        tmp_path,
    )
    # half of the step is common mode, half of 1/aol opposes it: 0.89u - 0.16u; published 0.1 to 1 uV/V, from memory
    assert_allclose(abs(np.ptp(r["v(out)"])), 0.73e-6, rtol=0.02)


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
    done = bench.result(amp(chain("sin(0 1 1e3)") + ".tran 2e-6 3e-3 0 2e-6", options="klu acct"), tmp_path)
    r, log = done.waveforms, done.log
    iterations = int(re.search(r"Transient iterations = (\d+)", log)[1])
    rejected = int(re.search(r"Rejected timepoints = (\d+)", log)[1])
    assert iterations / len(r["time"]) < 2.5  # newton iterations a point, predictor and one correction
    assert rejected < 0.01 * len(r["time"])
    assert int(re.search(r"Circuit Equations = (\d+)", log)[1]) < 1 + 3 * CHAIN + 8  # one internal node an op-amp


# diode


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
    assert_allclose(r.crossing("v(a)", 0.0, 1e-6) - 1e-6, storage, atol=3e-9)


# switch


def switch(body):
    return bench.deck(body + "\nx d sa sb sel vcc vee tmux1134", parts=("tmux1134",))


@pytest.mark.parametrize("sel", [0.0, 1.18, 2.5])
def test_switch_leaves_no_node_floating(tmp_path, sel):
    r = bench.op(switch(f"vsel sel 0 {sel}\n.op\n.save v(d) v(sa) v(sb)"), tmp_path)
    assert_allclose(list(r.values()), 0, atol=1e-3)  # V, held at mid-supply by the leakage


def test_switch_converges_in_a_slow_run(tmp_path):
    done = bench.result(
        switch("""vsel sel 0 pulse(0 2.5 5e-3 10e-9 10e-9 1 2)
va sa 0 0.2
vb sb 0 -0.2
cl d 0 1e-6
.tran 1e-3 0.1 0 1e-3
.save v(d)
.options acct"""),
        tmp_path,
    )
    r, log = done.waveforms, done.log
    assert_allclose(r["v(d)"][[0, -1]], [-0.2, 0.2], atol=1e-6)
    assert int(re.search(r"Transient iterations = (\d+)", log)[1]) < 2000


# select transistor


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
