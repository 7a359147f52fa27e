"""One layer of the behavioural board: arrays, transimpedance amplifiers, inverters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from circuits.stages.clamp import R_S
from circuits.stages.inverter import R_INVERTER
from circuits.stages.rectifier import RESISTANCE
from cosim.behavioural.arrays import Array, at_least, at_most, library, product
from cosim.behavioural.load import Load
from cosim.behavioural.ports import Ports
from cosim.behavioural.signal import Pair, Signal
from cosim.behavioural.stages.clamp import limited, line_limit
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.behavioural.stages.rectifier import Rectifier, Stage


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Voltages in, voltages out; see :func:`make_layer`."""

    differential: Array  # (boards, outputs, inputs) [S], from pairs at +v and -v
    inverse: Array  # (boards, outputs, inputs) [S], from inverse lines alone
    constant: Array  # (boards, outputs) [A]: bias, leakage, virtual grounds that are off 0 V
    curvature: Array  # (1, outputs, inputs) [A/V^2]
    r_f: float  # ohm
    noise_gain: Array  # (boards, outputs)
    y_sum: Array  # (boards, outputs) [S], at the summing nodes, r_f included
    whole: Array  # (boards, outputs) [S], on the native lines, feedback and a ReLU stage's clamp included
    relu: bool
    two_stage: bool
    clamped: bool
    vos: Array  # (boards, outputs) [V]
    vos_rectifier: Array  # (boards, outputs) [V]; (boards, 0) without second stages
    vos_inverter: Array | None  # (boards, outputs) [V]; None: the last layer has no inverters
    load: Load
    limit: Array  # (boards, outputs) [V]
    op: OpAmp
    rectifier: Rectifier

    def quick(self, lines: Array) -> Array:
        """Native output (boards, outputs) [V] of native input lines (boards, inputs), ideal amplifiers and diodes."""
        out = (self.r_f if self.two_stage else -self.r_f) * (product(self.differential, lines) + self.constant)
        return (at_least(out, 0.0) if self.two_stage else at_most(out, 0.0)) if self.relu else out

    def __call__(self, pair: Pair, spread: tuple[float, float]) -> Pair:
        """Outputs: the native lines and, but for the last layer, what the inverters make of them."""
        v, rate = pair.native
        i = product(self.differential, v) + product(self.inverse, pair.excess) + self.constant - product(self.curvature, v * v)
        di = product(self.differential, rate)
        if self.two_stage:
            first = self._linear(i, di, inside=0.0, load=1 / self.r_f + 1 / RESISTANCE)
            mirrored = self._rectified(Signal(-first.v / RESISTANCE - self.op.i_bias, -first.rate / RESISTANCE), spread)
            native = Signal(-mirrored.v, -mirrored.rate)
        elif self.relu:
            native = self._rectified(Signal(i, di), spread)
        else:
            native = self._linear(i, di, inside=R_S if self.clamped else 0.0, load=self.whole)
        native = Signal(limited(native.v, self.limit), native.rate)
        return Pair(native, None if self.vos_inverter is None else
                    inverter_excess(native, self.vos_inverter, self.load.inverse_conductance, self.op))

    def _linear(self, i: Array, di: Array, *, inside: float, load: Array | float) -> Signal:
        v, rate = self.vos - self.r_f * i, -self.r_f * di
        swing = rate * (1 + (inside + self.op.output_resistance(load * v)) * load)
        return Signal(v - self.noise_gain * self.op.input_error(v * (1 + inside * load), swing), rate)

    def _rectified(self, current: Signal, spread: tuple[float, float]) -> Signal:
        """The rectifier with its amplifier; a two-stage neuron's second stage mirrored: every voltage's sign, its diodes.

        Args:
            current: into the summing node, with that at v(vos) [A], [A/s].
        """
        fixed, di = self._rectifying, current.rate
        i, speed = current.v - fixed.taken, abs(di)
        hung = fixed.injected
        if self.load.coupling is not None:
            hung = hung + product(self.load.coupling, at_most(-fixed.stage.r_f * i, 0.0))
            # once more, with the lines that are off where that puts them; of a third time a few per cent of this would be left
            hung = hung + product(self.load.coupling, hung * fixed.stage.line_resistance * (i <= 0))
        # the swing from diode to diode, about a volt, takes the amplifier sqrt(2 V y / (omega_t di/dt))
        crossing = at_most(at_least(fixed.crossing / library(di).sqrt(speed + 1e-9), spread[0]), spread[1])
        one = fixed.stage(i, di, injected=hung, spread=crossing, speed=speed)
        # the input error times omega_t, while it conducts and while it crosses over
        late = fixed.late * (one.gate * (one.v_out * (self.op.omega_t / self.op.aol) + one.gain_rate) + one.crossover_rate)
        return Signal(one.line - late, one.rate)

    @cached_property
    def _rectifying(self) -> _Rectifying:
        if self.two_stage:
            r_f, sign, vos, y_sum = RESISTANCE, -1.0, -self.vos_rectifier, 0 * self.y_sum + 2 / RESISTANCE
        else:
            r_f, sign, vos, y_sum = self.r_f, 1.0, self.vos, self.y_sum
        return _Rectifying(
            stage=self.rectifier.stage(r_f=r_f, load=self.whole, y_sum=y_sum),
            late=r_f / self.op.omega_t * y_sum, injected=sign * self.load.injected + vos / r_f,
            taken=vos * (1 / r_f if sign > 0 else 2 / r_f), crossing=library(y_sum).sqrt(2.0 / self.op.omega_t * y_sum))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rectifying:
    """What a rectifying layer's evaluations share."""

    stage: Stage
    late: Array  # (boards, outputs) [s], of a line behind its current, per part of the amplifier's swing
    injected: Array  # (boards, outputs) [A], into the lines by all but their neighbours
    taken: Array  # (boards, outputs) [A], by resistors that lead away from a summing node which is off 0 V
    crossing: Array  # (boards, outputs) [sqrt(A s)], time over which a crossover goes, times the root of the current's rate


def inverter_excess(native: Signal, vos: Array, load: Array, op: OpAmp) -> Array:
    """v(native) + v(inverse) [V] of an inverter: twice its v(sum), and its bias current through its resistor."""
    rate = native.rate * (1 + op.output_resistance(load * native.v) * load)
    fixed = 2 * vos - R_INVERTER * op.i_bias
    return (2 / op.aol) * native.v + (2 / op.omega_t) * rate + fixed


def follow(source: Signal, vos: Array, load: Array, limit: Array, op: OpAmp) -> Signal:
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
        differential=transfer[..., :pairs] - transfer[..., pairs:], inverse=transfer[..., pairs:], constant=constant,
        curvature=ports.curvature[None, :, :pairs], r_f=r_f, noise_gain=r_f * y_sum, y_sum=y_sum, whole=whole, relu=relu,
        two_stage=two_stage, clamped=clamped, vos=vos, vos_rectifier=vos_rectifier, vos_inverter=vos_inverter, load=load,
        limit=line_limit(whole, op.rail, through_diode=relu) if clamped else torch.full_like(whole, op.rail),
        op=op, rectifier=rectifier)
