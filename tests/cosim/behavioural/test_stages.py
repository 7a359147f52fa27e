"""Single stages against their hand-derived answers."""

from math import exp, log, pi, sqrt

import pytest
import torch

from cosim.behavioural.layer import follow, inverter_excess
from cosim.behavioural.signal import Signal
from cosim.behavioural.stages.clamp import limited, line_limit
from cosim.behavioural.stages.diode import Diode
from cosim.behavioural.stages.integrator import Integrator
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.behavioural.stages.rectifier import Rectifier

OP, DIODE = OpAmp.from_part(), Diode.from_part()
R_F, LOAD, Y_SUM = 10e3, 1.3e-3, 1e-3


def one(value):
    return torch.tensor([[value]], dtype=torch.float64)


def rectified(current, rate=0.0, injected=0.0, spread=1e-4):
    stage = Rectifier(diode=DIODE, op=OP).stage(r_f=R_F, y_sum=one(Y_SUM), load=one(LOAD))
    return stage(one(current), one(rate), injected=one(injected), spread=one(spread))


def test_the_parts_figures_arrive():
    assert OP.omega_t == pytest.approx(2 * pi * 1.1e6)
    assert (OP.aol, OP.i_bias) == (3.16e6, 10e-12)
    assert OP.output_resistance(one(0.0)).item() == pytest.approx(600, rel=0.01)  # opa4990.lib
    assert OP.output_resistance(one(1e-3)).item() == pytest.approx(180, rel=0.01)
    assert DIODE.n_vt == pytest.approx(1.752 * 25.865e-3, rel=1e-4)


def test_a_conducting_rectifier_loses_the_blocking_diodes_saturation_current():
    on = rectified(10e-6)
    # V: at 10 uA the conducting side's diode leaks its saturation current but for exp(-v/n_vt), 1e-4 of it
    assert on.line.item() == pytest.approx(-R_F * (10e-6 - DIODE.saturation), abs=1e-8)
    assert on.gate.item() == pytest.approx(1, abs=1e-5)
    carried = -LOAD * on.line.item()
    assert on.v_out.item() == pytest.approx(on.line.item() - 1e3 * carried - DIODE.n_vt * log(carried / DIODE.saturation),
                                            abs=1e-5)


def test_an_off_line_hangs_on_its_load():
    off = rectified(-10e-6, injected=50e-9)
    assert off.line.item() == pytest.approx((50e-9 + DIODE.saturation) / LOAD, rel=1e-3)
    assert off.gate.item() == pytest.approx(0, abs=1e-5)
    assert off.v_out.item() == pytest.approx(DIODE.n_vt * log(10e-6 / DIODE.saturation), rel=1e-3)


def test_the_rectifiers_rate_is_the_slope_of_its_line():
    currents = torch.linspace(-2e-8, 2e-8, 41, dtype=torch.float64)
    i = currents[None].requires_grad_()
    stage = Rectifier(diode=DIODE, op=OP).stage(r_f=R_F, y_sum=one(Y_SUM), load=one(LOAD))
    out = stage(i, torch.ones_like(i), injected=one(0.0), spread=one(1e-4))
    (slope,) = torch.autograd.grad(out.line.sum(), i)
    torch.testing.assert_close(out.rate, slope, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_a_crossover_costs_is_what_the_amplifiers_equation_says(sign):
    """Turn-on and turn-off, the one-pole equation integrated with both diodes, against the smooth correction's area."""
    rate, span = sign * 6e-4, 5e-3  # A/s, s
    steps = 400_000
    h, i_s, n_vt = span / steps, DIODE.saturation, DIODE.n_vt
    kappa = R_F * LOAD
    # x = v_out / n_vt, the line hung on its load: i_off - i_on / kappa = the current that the stage answers
    i, x = -0.5 * rate * span, 0.0
    x = -log(i / i_s * kappa) if i > 0 else log(-i / i_s)
    missed = 0.0
    for k in range(steps):
        i = rate * (k * h - 0.5 * span)
        answered = i_s * ((exp(-x) - 1) / kappa - (exp(x) - 1))
        x += h * OP.omega_t / (Y_SUM * n_vt) * (answered - i)
        missed += h * R_F * (max(i, 0.0) - max(i_s * exp(-x) / kappa, 0.0))
    times = torch.linspace(-0.5 * span, 0.5 * span, 20001, dtype=torch.float64)
    crossing = sqrt(2 * Y_SUM / OP.omega_t / abs(rate))
    stage = Rectifier(diode=DIODE, op=OP).stage(r_f=R_F, y_sum=one(Y_SUM)[0], load=one(LOAD)[0])
    out = stage(rate * times, torch.full_like(times, rate), injected=one(0.0)[0], spread=one(crossing)[0])
    linear = -R_F * rate * (1 + (1e3 + OP.output_resistance(-LOAD * out.line)) * LOAD) * out.gate  # not in the equation above
    late = R_F * Y_SUM / OP.omega_t * (out.gate * (out.gain_rate - linear) + out.crossover_rate)
    area = -torch.trapezoid(late, times).item()
    # V s: the correction assumes a crossover far above the saturation current; here it is a hundred times that
    assert area == pytest.approx(missed, abs=0.1 * 1e-6)
    assert area * sign > 0


def test_inverter_doubles_its_offset_and_lags():
    out = inverter_excess(Signal(one(0.1), one(1e3)), one(0.3e-3), one(0.0), OP) - 0.1
    lag = 2 * (0.1 / OP.aol + 1e3 / OP.omega_t)
    assert out.item() == pytest.approx(-0.1 + 0.6e-3 + lag - 10e3 * 10e-12, abs=1e-12)


def test_follower_is_late_by_what_its_load_costs():
    out = follow(Signal(one(0.1), one(1e3)), one(0.0), one(LOAD), one(0.6), OP)
    slow = 1 + (1e3 + OP.output_resistance(one(0.13e-3)).item()) * LOAD
    expected = 0.1 * (1 + 1 / OP.cmrr - (1 + 1e3 * LOAD) / OP.aol) - 1e3 * slow / OP.omega_t
    assert out.v.item() == pytest.approx(expected, abs=1e-9)


def test_clamp_stops_a_line_where_the_diode_takes_the_rest():
    limit = line_limit(one(LOAD), 2.5)
    current = (2.5 - limit.item()) / 1e3 - LOAD * limit.item()
    assert current == pytest.approx(DIODE.saturation * (exp(limit.item() / DIODE.n_vt) - 1), rel=1e-6)
    assert 0.5 < limit.item() < 0.65
    assert limited(one(0.3), limit).item() == 0.3
    assert limited(one(-2.0), limit).item() == pytest.approx(-limit.item(), abs=1e-6)


def test_integrator_slope():
    stage = Integrator(r_in=1e6, c_int=1e-6, c_lead=0.0, vos=one(0.3e-3), op=OP)
    slope = stage.slope(one(0.1), Signal(one(0.5), one(0.0))).item()
    ideal = -(0.5 - 0.3e-3 + 0.1 / OP.aol) / (1e6 + 2) / 1e-6 - (10e-12 + 1.2e-12 * 0.1) / 1e-6
    assert slope == pytest.approx(ideal / (1 + 1 / OP.omega_t), rel=1e-9)
    lead = Integrator(r_in=1e6, c_int=1e-6, c_lead=1e-12, vos=one(0.0), op=OP)
    moved = lead.slope(one(0.0), Signal(one(0.0), one(1e3))) - lead.slope(one(0.0), Signal(one(0.0), one(0.0)))
    assert moved.item() == pytest.approx(-1e-12 * 1e3 / 1e-6, rel=1e-5)
    assert stage.slope(one(2.6), Signal(one(-1.0), one(0.0))).item() == 0.0  # in the rail, pushed outwards
