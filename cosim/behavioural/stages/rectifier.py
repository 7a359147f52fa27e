"""The ReLU stage's two diodes inside the loop, as one smooth function of the summed current."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import NamedTuple

import numpy as np

from circuits.stages.clamp import R_S
from cosim.behavioural.arrays import Array, at_least, at_most, library, where_only
from cosim.behavioural.stages.diode import Diode
from cosim.behavioural.stages.op_amp import OpAmp

MANY = 1000  # neurons of all boards, from which on those that cross over are picked out
TINY = 1e-37  # whose logarithm is finite in either precision, for a stage that is off
NEAR = 9.0  # spreads from its crossover, where exp(-64) of a swing is left


class Rectified(NamedTuple):
    """What the stage does at a summed current, amplifier ideal; all (boards, neurons)."""

    line: Array  # V
    rate: Array  # V/s
    gate: Array  # 1 conducting, 0 off
    v_out: Array  # V, the amplifier's output
    gain_rate: Array  # V/s, of the amplifier's gain node while the stage conducts
    crossover_rate: Array  # V/s, what the swing from diode to diode comes to when the stage turns on or off


@dataclass(frozen=True, kw_only=True)
class Rectifier:
    """v(line) = -r_f max(0, i) with the diodes' leakage, the crossover between them and the line that hangs when off.

        sl --+---[r_f]---+-- line, which draws g v - injected
             +--|d_off|<-+ op_out --|d_on|<--[r_s]-- line

    With both diodes' cathode or anode at op_out and the other ends near 0 V, exp(v_out / n_vt) is 1/b for the one and b for
    the other: i_on = saturation (b - 1), i_off = saturation (1/b - 1). Kirchhoff at sl and at the line make that a
    quadratic in b. Where the stage is off, i_on is what the reverse diode leaks into the line.

    Crossover. The current through the conducting diode follows df/dt = (i - f) f omega_t / (n_vt y_sum), the amplifier's one
    pole. For a current that passes through 0 at a constant rate it has a closed solution: lag = sqrt(n_vt y_sum rate /
    omega_t) is its scale, f = sqrt(2/pi) lag at i = 0, and what the line misses in all is (in volts of the amplifier's
    swing) turn_on and turn_off below, less what ``gain_rate`` holds of it. It is spread over ``spread``, so that a fixed
    step sees all of it.
    """

    diode: Diode
    op: OpAmp
    crosses: bool = True  # False: the knee is sharp and the swing from diode to diode takes no time; all else stays

    def stage(self, *, r_f: float, y_sum: Array, load: Array) -> Stage:
        """What does not change in time.

        Args:
            r_f: feedback resistor [ohm].
            y_sum: (boards, neurons), conductance at the summing node, r_f included [S].
            load: (boards, neurons), conductance on the line, r_f included [S].
        """
        i_s, n_vt, omega_t, kappa = self.diode.saturation, self.diode.n_vt, self.op.omega_t, r_f * load
        xp = library(load)
        root_kappa = xp.sqrt(kappa)
        return Stage(
            rectifier=self, r_f=r_f, load=load, line_resistance=1 / load, middle=(1 - kappa) / (2 * root_kappa),
            per_current=0.5 * root_kappa / i_s, per_injected=0.5 / (root_kappa * i_s), on_scale=i_s * root_kappa,
            log_scale=0.5 * n_vt * xp.log(kappa), lag=xp.sqrt(n_vt * y_sum / omega_t) / i_s, knee=4 / kappa, kappa=kappa)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """A rectifier in its place. With u = half / (2 sqrt(kappa)), half the quadratic's middle coefficient, b is
    sqrt(kappa) exp(arsinh u), and the root of its discriminant 2 sqrt(kappa) sqrt(1 + u^2)."""

    rectifier: Rectifier
    r_f: float  # ohm
    load: Array  # (boards, neurons) [S]; so are the following
    line_resistance: Array  # ohm
    middle: Array  # u at no current
    per_current: Array  # 1/A, u per current into the summing node
    per_injected: Array  # 1/A, u per current into the line
    on_scale: Array  # A, the conducting diode's current per exp(arsinh u)
    log_scale: Array  # V, the amplifier's output at b = sqrt(kappa)
    lag: Array  # 1/sqrt(A/s), the scale of a crossover in saturation currents, per root of the rate
    knee: Array  # squared width of the knee in saturation currents
    kappa: Array

    def __call__(self, current: Array, rate: Array, *, injected: Array, spread: Array, speed: Array | None = None) -> Rectified:
        """Rectify.

        Args:
            current: i, into the summing node [A]; rate: [A/s]; speed: its size, if it is known.
            injected: into the line by all else [A].
            spread: time [s] over which the amplifier's swing from diode to diode is spread, at least.
        """
        diode, op, xp = self.rectifier.diode, self.rectifier.op, library(current)
        i_s, n_vt = diode.saturation, diode.n_vt
        u = self.per_current * current + self.per_injected * injected + self.middle
        if not self.rectifier.crosses:
            return self._sharp(u, rate, injected)
        height, size = xp.arcsinh(u), 1 + u * u
        b = xp.exp(height)  # in units of sqrt(kappa)
        gate = 0.5 * b / xp.sqrt(size)
        i_on = self.on_scale * b - i_s
        line = (injected - i_on) * self.line_resistance
        slope = gate * rate * -self.r_f
        resistance = R_S + op.output_resistance(i_on)
        v_out = line - R_S * i_on - n_vt * height - self.log_scale
        speed = abs(rate) if speed is None else speed
        crossover = speed * spread * (1 / i_s) + 1e-6  # in units of the saturation current
        swing = (n_vt / i_s) * rate / xp.sqrt(self.knee * size + crossover * crossover)
        return Rectified(line=line, rate=slope, gate=gate, v_out=v_out,
                         gain_rate=slope + slope * resistance * self.load - swing,
                         crossover_rate=self._crossover_rate(current, rate, speed, spread, crossover))

    def _crossover_rate(self, current: Array, rate: Array, speed: Array, spread: Array, crossover: Array) -> Array:
        """As in :class:`Rectified`; arrays of many are computed only where there is something, which is at few neurons."""
        given = current, rate, speed, spread, crossover, self.lag, self.kappa
        if isinstance(current, np.ndarray) and current.size < MANY:
            return self._swing_rate(*given)
        return where_only(abs(current) < (NEAR * self.rectifier.diode.saturation) * crossover, self._swing_rate, *given)

    def _swing_rate(self, current: Array, rate: Array, speed: Array, spread: Array, crossover: Array, lag: Array,
                    kappa: Array) -> Array:
        i_s, n_vt, xp = self.rectifier.diode.saturation, self.rectifier.diode.n_vt, library(current)
        lag, rising = lag * xp.sqrt(speed) + 1e-6, rate > 0
        # the swing is n_vt times the logarithm of this, downwards when the stage turns on
        ratio = xp.where(rising, 1 + sqrt(2 / pi) / 4 * kappa * lag * crossover, at_least(sqrt(pi / 2) * crossover / lag, 1.0))
        at = (current * (1 / i_s) - rising * crossover) / crossover
        when = xp.exp(-at_most(at * at, 100.0)) / spread  # sqrt(pi)/s, its integral over time is sqrt(pi)
        return xp.copysign((n_vt / sqrt(pi)) * xp.log(ratio), -rate) * when

    def _sharp(self, u: Array, rate: Array, injected: Array) -> Rectified:
        """A knee without width: b is half where that is positive, and 0."""
        diode, op, xp = self.rectifier.diode, self.rectifier.op, library(u)
        root = xp.sqrt(self.kappa)
        b = at_least(2 * root * u, 0.0)
        gate = xp.where(u > 0, xp.ones_like(u), 0.0)
        i_on = diode.saturation * (b - 1)
        line = (injected - i_on) * self.line_resistance
        slope = (-self.r_f) * gate * rate
        resistance = R_S + op.output_resistance(i_on)
        v_out = line - R_S * i_on - diode.n_vt * xp.log(at_least(b, TINY))
        return Rectified(line=line, rate=slope, gate=gate, v_out=v_out, gain_rate=slope * (1 + resistance * self.load),
                         crossover_rate=xp.zeros_like(slope))
