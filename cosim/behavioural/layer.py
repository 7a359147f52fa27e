"""One layer of the behavioural board: arrays, transimpedance amplifiers, inverters."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from circuits.stages.clamp import R_S
from circuits.stages.inverter import R_INVERTER
from circuits.stages.rectifier import RESISTANCE
from cosim.behavioural.load import Load
from cosim.behavioural.ports import Ports
from cosim.behavioural.signal import Pair, Signal
from cosim.behavioural.stages.clamp import limited, line_limit
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.behavioural.stages.rectifier import Rectifier

HUNG_PASSES = 2  # an off neuron's line depends on the other lines; each pass leaves a few per cent of the one before


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Voltages in, voltages out; see :func:`make_layer`."""

    transfer: torch.Tensor  # (boards, outputs, 2 * inputs) [S], from native, then inverse lines
    differential: torch.Tensor  # (boards, outputs, inputs) [S], from pairs at +v and -v
    constant: torch.Tensor  # (boards, outputs) [A]: bias, leakage, virtual grounds that are off 0 V
    curvature: torch.Tensor  # (outputs, inputs) [A/V^2]
    r_f: float  # ohm
    noise_gain: torch.Tensor  # (boards, outputs)
    y_sum: torch.Tensor  # (boards, outputs) [S], at the summing nodes, r_f included
    whole: torch.Tensor  # (boards, outputs) [S], on the native lines, feedback and a ReLU stage's clamp included
    relu: bool
    two_stage: bool
    clamped: bool
    vos: torch.Tensor  # (boards, outputs) [V]
    vos_rectifier: torch.Tensor  # (boards, outputs) [V]; (boards, 0) without second stages
    vos_inverter: torch.Tensor | None  # (boards, outputs) [V]; None: the last layer has no inverters
    load: Load
    limit: torch.Tensor  # (boards, outputs) [V]
    op: OpAmp
    rectifier: Rectifier

    def quick(self, lines: torch.Tensor) -> torch.Tensor:
        """Native output (boards, outputs) [V] of native input lines (boards, inputs), ideal amplifiers and diodes."""
        current = self.differential @ lines[..., None]
        out = -self.r_f * (current[..., 0] + self.constant)
        if self.two_stage:
            out = -out
        return (out.clamp(min=0.0) if self.two_stage else out.clamp(max=0.0)) if self.relu else out

    def __call__(self, pair: Pair, spread: tuple[float, float]) -> Pair:
        """Outputs: the native lines and, but for the last layer, what the inverters make of them."""
        lines = pair.stacked()
        current = self.transfer @ torch.stack(lines, dim=-1)
        i, di = current[..., 0] + self.constant - (pair.native.v**2) @ self.curvature.T, current[..., 1]
        if self.two_stage:
            first = self._linear(i, di, inside=0.0, load=1 / self.r_f + 1 / RESISTANCE)
            mirrored = self._rectified(Signal(-first.v / RESISTANCE - self.op.i_bias, -first.rate / RESISTANCE), r_f=RESISTANCE,
                                       y_sum=torch.full_like(self.y_sum, 2 / RESISTANCE), vos=-self.vos_rectifier,
                                       sign=-1.0, spread=spread)
            native = Signal(-mirrored.v, -mirrored.rate)
        elif self.relu:
            native = self._rectified(Signal(i, di), r_f=self.r_f, y_sum=self.y_sum, vos=self.vos, sign=1.0, spread=spread)
        else:
            native = self._linear(i, di, inside=R_S if self.clamped else 0.0, load=self.whole)
        native = Signal(limited(native.v, self.limit), native.rate)
        return Pair(native, native if self.vos_inverter is None else
                    invert(native, self.vos_inverter, self.load.inverse_conductance, self.op))

    def _linear(self, i: torch.Tensor, di: torch.Tensor, *, inside: float, load: torch.Tensor | float) -> Signal:
        v, rate = self.vos - self.r_f * i, -self.r_f * di
        swing = rate * (1 + (inside + self.op.output_resistance(load * v)) * load)
        return Signal(v - self.noise_gain * self.op.input_error(v * (1 + inside * load), swing), rate)

    def _rectified(self, current: Signal, *, r_f: float, y_sum: torch.Tensor, vos: torch.Tensor, sign: float,
                   spread: tuple[float, float]) -> Signal:
        """The rectifier with its amplifier; ``sign`` -1: every voltage of the stage mirrored, its diodes turned round.

        Args:
            current: into the summing node, with that at v(vos) [A], [A/s].
            y_sum: at the summing node, r_f included [S]; vos: [V], mirrored too.
        """
        i, di = current.v - vos * (1 / r_f if sign > 0 else 2 / r_f), current.rate
        injected = sign * self.load.injected + vos / r_f
        hung = injected
        if self.load.coupling is not None:
            line = (-r_f * i).clamp(max=0.0)
            for number in range(HUNG_PASSES):
                if number:
                    line = torch.where(i > 0, line, hung / self.whole)
                hung = injected + (self.load.coupling @ line[..., None])[..., 0]
        # the swing from diode to diode, about a volt, takes the amplifier sqrt(2 V y / (omega_t di/dt))
        crossing = torch.sqrt(2.0 / self.op.omega_t * y_sum / (di.abs() + 1e-9))
        one = self.rectifier(i, di, r_f=r_f, y_sum=y_sum, load=self.whole, injected=hung, spread=crossing.clamp(*spread))
        late = r_f * y_sum * (one.gate * self.op.input_error(one.v_out, one.gain_rate) + one.crossover_rate / self.op.omega_t)
        return Signal(one.line - late, one.rate)


def invert(native: Signal, vos: torch.Tensor, load: torch.Tensor, op: OpAmp) -> Signal:
    """The inverter's output: -v + 2 v(sum), its bias current through its resistor."""
    rate = native.rate * (1 + op.output_resistance(load * native.v) * load)
    v_sum = vos + op.input_error(native.v, rate)
    return Signal(2 * v_sum - native.v - R_INVERTER * op.i_bias, -native.rate)


def follow(source: Signal, vos: torch.Tensor, load: torch.Tensor, limit: torch.Tensor, op: OpAmp) -> Signal:
    """The follower's line: v + v / cmrr + vos, less what its finite gain and speed leave; clamped."""
    rate = source.rate * (1 + (R_S + op.output_resistance(load * source.v)) * load)
    v = source.v * (1 + 1 / op.cmrr) + vos - op.input_error(source.v * (1 + R_S * load), rate)
    return Signal(limited(v, limit), source.rate)


def make_layer(ports: Ports, *, r_f: float, relu: bool, last: bool, two_stage: bool, inputs: torch.Tensor, bias: torch.Tensor,
               load: Load, vos: torch.Tensor, vos_rectifier: torch.Tensor, vos_inverter: torch.Tensor | None, op: OpAmp,
               rectifier: Rectifier) -> Layer:
    """Fold what does not change in time.

    Args:
        ports: the layer's arrays.
        inputs: (2 * inputs,), bit lines of native, then inverse signals.
        bias: (boards, 2) [V] of the bias pair, or (boards, 0).
        load: on the native lines, without r_f.
        vos, vos_rectifier, vos_inverter: as in :class:`Layer` [V].
    """
    outputs = vos.shape[-1]
    n_lines = ports.leak.shape[0] - outputs
    rows = ports.y[:, n_lines:]
    own, pairs = rows[:, :, n_lines:], inputs.numel() // 2
    constant = op.i_bias - ports.leak[n_lines:] - (own @ vos[..., None])[..., 0]
    if bias.shape[-1]:
        constant = constant - (rows[:, :, n_lines - 2 : n_lines] @ bias[..., None])[..., 0] \
            - (bias[:, :1] ** 2) * ports.curvature[:, -1]
    clamped = relu or not last
    whole = load.conductance + 1 / (RESISTANCE if two_stage else r_f)
    if relu:  # the clamp's leakage, which the amplifier takes over while the stage conducts
        whole = whole + 2 * rectifier.diode.saturation / rectifier.diode.n_vt
    transfer = -rows[:, :, inputs]
    y_sum = own.diagonal(dim1=-2, dim2=-1) + 1 / r_f
    return Layer(
        transfer=transfer, differential=transfer[..., :pairs] - transfer[..., pairs:], constant=constant,
        curvature=ports.curvature[:, :pairs], r_f=r_f, noise_gain=r_f * y_sum, y_sum=y_sum, whole=whole, relu=relu,
        two_stage=two_stage, clamped=clamped, vos=vos, vos_rectifier=vos_rectifier, vos_inverter=vos_inverter, load=load,
        limit=line_limit(whole, op.rail, through_diode=relu) if clamped else torch.full_like(whole, op.rail),
        op=op, rectifier=rectifier)
