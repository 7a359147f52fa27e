"""The ReLU stage's two diodes inside the loop, as one smooth function of the summed current."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt
from typing import NamedTuple

import torch

from circuits.stages.clamp import R_S
from cosim.behavioural.diode import Diode
from cosim.behavioural.op_amp import OpAmp


class Rectified(NamedTuple):
    """What the stage does at a summed current, amplifier ideal; all (boards, neurons)."""

    line: torch.Tensor  # V
    rate: torch.Tensor  # V/s
    gate: torch.Tensor  # 1 conducting, 0 off
    v_out: torch.Tensor  # V, the amplifier's output
    gain_rate: torch.Tensor  # V/s, of the amplifier's gain node while the stage conducts
    crossover_rate: torch.Tensor  # V/s, what the swing from diode to diode comes to when the stage turns on or off


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

    def __call__(self, current: torch.Tensor, rate: torch.Tensor, *, r_f: float, y_sum: torch.Tensor, load: torch.Tensor,
                 injected: torch.Tensor, spread: torch.Tensor) -> Rectified:
        """Rectify.

        Args:
            current: i, into the summing node [A]; rate: [A/s].
            y_sum: conductance at the summing node, r_f included [S].
            load: conductance on the line, r_f included [S].
            injected: into the line by all else [A].
            spread: time [s] over which the amplifier's swing from diode to diode is spread, at least.
        """
        i_s, n_vt = self.diode.saturation, self.diode.n_vt
        kappa = r_f * load
        half = 1 + kappa * (current / i_s - 1) + injected / i_s
        root = torch.sqrt(half * half + 4 * kappa)
        larger = 0.5 * (half.abs() + root)
        b = torch.where(half > 0, larger, kappa / larger)
        gate = b / root
        if not self.crosses:
            b, gate = half.clamp(min=0.0), (half > 0).to(half.dtype)
        i_on = i_s * (b - 1)
        line = (injected - i_on) / load
        slope = -r_f * gate * rate
        resistance = R_S + self.op.output_resistance(i_on)
        v_out = line - R_S * i_on - n_vt * torch.log(b.clamp(min=torch.finfo(b.dtype).tiny))
        if not self.crosses:
            return Rectified(line=line, rate=slope, gate=gate, v_out=v_out, gain_rate=slope * (1 + resistance * load),
                             crossover_rate=torch.zeros_like(slope))
        crossover = rate.abs() * spread / i_s + 1e-6  # this and the next in units of the saturation current
        lag = torch.sqrt(n_vt * y_sum / (self.op.omega_t * i_s) * rate.abs() / i_s) + 1e-6
        swing = n_vt * kappa * rate / (i_s * torch.sqrt(root * root + (kappa * crossover) ** 2))
        turn_on = n_vt * torch.log1p(sqrt(2 / pi) * kappa * lag * crossover / 4)
        turn_off = n_vt * (0.5 * log(2 * pi) + torch.log(crossover / (2 * lag))).clamp(min=0.0)
        at = current / i_s / crossover - (rate > 0).to(rate.dtype)
        when = torch.exp(-(at * at).clamp(max=100.0)) / (spread * sqrt(pi))  # 1/s, its integral over time is 1
        return Rectified(line=line, rate=slope, gate=gate, v_out=v_out,
                         gain_rate=slope * (1 + resistance * load) - swing,
                         crossover_rate=torch.where(rate > 0, -turn_on, turn_off) * when)
