"""The closed loop: input buffers, layers, integrators, for one board or for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import torch

from circuits.board import nets
from circuits.stages.inverter import R_INVERTER
from cosim.behavioural.arrays import Array, as_slice, changed, library, lines, side_by_side, to_numpy
from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.layer import Layer, follow, inverter_excess, make_layer
from cosim.behavioural.load import Load, array_load, resistor_load
from cosim.behavioural.offsets import Offsets, equal_offsets
from cosim.behavioural.ports import TilePorts, layer_ports, nominal_ports
from cosim.behavioural.signal import Pair, Signal
from cosim.behavioural.stages.clamp import line_limit
from cosim.behavioural.stages.diode import Diode
from cosim.behavioural.stages.integrator import Integrator
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.behavioural.stages.rectifier import Rectifier

Conductances = Sequence[Sequence[torch.Tensor]]  # a layer, a tile: (boards, 32, 32) [S]


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Every saved voltage at one time; (boards, lines) [V]."""

    states: Array  # x_p lines
    derivatives: Array  # d
    caps: Array
    sums: Array  # the integrators' virtual grounds
    hidden: tuple[Array, ...]  # h_p lines, a layer
    slope: Array  # V/s, of the capacitors


@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """d s/dt = f(s, u): s (boards, states) [V], the capacitors' voltages; circuit seconds. See :func:`make_board`."""

    boards: int
    columns: tuple[str, ...]
    drivers: Load  # the first layer, as seen by what drives it
    drivers_limit: Array
    vos_drivers: Array  # (boards, columns) [V], followers
    vos_drivers_inverse: Array
    layers: tuple[Layer, ...]
    integrator: Integrator
    op: OpAmp

    def __call__(self, s: Array, external: Signal, spread: tuple[float, float] = (0.0, inf), *,
                 running: bool = True, moving: bool = True) -> Snapshot:
        """Evaluate the board.

        The slope is first taken with ideal amplifiers; with it every signal has a rate, and lags become a correction.

        Args:
            s: (boards, states) [V].
            external: generators (1 or boards, external inputs) [V], [V/s].
            spread: least and most [s] over which a crossover is spread, see
                :class:`cosim.behavioural.stages.rectifier.Rectifier`; least about half an integration step.
            running: False: initial conditioning, nothing moves.
            moving: False: every signal is held where it is, so that nothing lags; give generators whose rates are 0.
        """
        guess = self._ideal_slope(s, external) if running and moving else library(s).zeros_like(s)
        cap = self.integrator.output(s, guess) if running else Signal(s, guess)
        source = self._first(external, cap)
        native = follow(source, self.vos_drivers, self.drivers.conductance, self.drivers_limit, self.op)
        pair = Pair(native, inverter_excess(native, self.vos_drivers_inverse, self.drivers.inverse_conductance, self.op))
        states = lines(native.v, self._state_columns)
        hidden = []
        for layer in self.layers:
            pair = layer(pair, spread)
            if pair.excess is not None:
                hidden.append(pair.native.v if layer.two_stage else pair.inverse)
        slope = self.integrator.slope(s, pair.native) if running else guess
        return Snapshot(states=states, derivatives=pair.native.v, caps=cap.v, hidden=tuple(hidden), slope=slope,
                        sums=self.integrator.virtual_ground(s, slope))

    def state_lines(self, s: Array, rate: Array) -> Array:
        """The x_p lines (..., boards, states) [V] at capacitor voltages [V] and their slopes [V/s]."""
        where = self._state_columns
        return follow(self.integrator.output(s, rate), self.vos_drivers[:, where], self.drivers.conductance[:, where],
                      self.drivers_limit[:, where], self.op).v

    def part(self, boards: slice) -> Board:
        """Some of the boards."""
        chosen = changed(self, lambda x: x[boards] if x.ndim > 1 and len(x) > 1 else x)
        return replace(chosen, boards=len(range(*boards.indices(self.boards))))

    def in_numpy(self) -> Board:
        """The same boards, of numpy arrays: without gradients, and faster (:mod:`cosim.behavioural.arrays`)."""
        return changed(self, to_numpy)

    def _ideal_slope(self, s: Array, external: Signal) -> Array:
        out = self._by_column(external.v, s + self.integrator.vos) + self.vos_drivers
        for layer in self.layers:
            out = layer.quick(out)
        return self.integrator.slope(s, Signal(out, library(s).zeros_like(s)))

    def _first(self, external: Signal, cap: Signal) -> Signal:
        """The first layer's sources in the order of its columns."""
        return Signal(self._by_column(external.v, cap.v), self._by_column(external.rate, cap.rate))

    def _by_column(self, external: Array, states: Array) -> Array:
        return lines(side_by_side(external, states), self._column_places)

    @cached_property
    def _column_places(self) -> Sequence[int] | slice:
        return as_slice(nets.column_places(self.columns, len(self.columns) - self.integrator.vos.shape[-1]))

    @cached_property
    def _state_columns(self) -> Sequence[int] | slice:
        return as_slice(nets.state_places(self.columns))


def solve_arrays(blueprint: Blueprint, dtype: torch.dtype = torch.float64) -> tuple[tuple[TilePorts, ...], ...]:
    """Exact port conductances of every array, a layer, a tile; the slow part of making a board, so it can be kept."""
    return tuple(nominal_ports(spec, g, dtype) for spec, g in
                 zip(blueprint.board.layers, blueprint.conductances, strict=True))


def make_board(blueprint: Blueprint, *, conductances: Conductances | None = None, offsets: Offsets | None = None,
               arrays: tuple[tuple[TilePorts, ...], ...] | None = None, diode: Diode | None = None,
               op: OpAmp | None = None, dtype: torch.dtype = torch.float64) -> Board:
    """Boards of one blueprint.

    Args:
        conductances: other conductances than the blueprint's, a board each; may require gradients.
        offsets: of every op-amp, a board each; None: none.
        arrays: of :func:`solve_arrays`, where several boards are made one after another.
        diode: of the ReLU stages; None: set a at 27 degC. The clamps keep that one.
        op: every op-amp; None: the part's own figures.
        dtype: float64, or float32 where 1e-6 of full scale does: half the memory, but never compiled.
    """
    spec, op = blueprint.board, op or OpAmp.from_part()
    rectifier = Rectifier(diode=diode or Diode.from_part(), op=op)
    offsets = offsets or equal_offsets(spec, 0.0, dtype)
    arrays = arrays or solve_arrays(blueprint, dtype)
    ports = [layer_ports(one, tiles, None if conductances is None else conductances[k])
             for k, (one, tiles) in enumerate(zip(spec.layers, arrays, strict=True))]
    reference = blueprint.scales.bias * (1 + 1 / op.cmrr - 1 / op.aol) + offsets.bias
    bias_pair = torch.cat([reference, 2 * offsets.bias_inverse - reference - R_INVERTER * op.i_bias], dim=-1)
    biases = [bias_pair if one.bias else bias_pair[:, :0] for one in spec.layers]
    vos_first = _by_column(spec.columns, offsets.external, offsets.states)
    vos_first_inverse = _by_column(spec.columns, offsets.external_inverse, offsets.states_inverse)
    loads = [array_load(ports[0], spec.layers[0].n_inputs, native_is_negative=False, bias=biases[0],
                        vos_sums=offsets.neurons[0], vos_inverters=vos_first_inverse, i_bias=op.i_bias)]
    for number, one in enumerate(spec.layers[:-1]):
        loads.append(array_load(ports[number + 1], one.n_outputs, native_is_negative=not one.two_stage, bias=biases[number + 1],
                                vos_sums=offsets.neurons[number + 1], vos_inverters=offsets.inverters[number],
                                i_bias=op.i_bias))
    loads.append(resistor_load(1 / spec.r_in, spec.n_states, dtype))
    layers = tuple(
        make_layer(ports[k], r_f=one.r_f, relu=one.relu, last=one.last, two_stage=one.two_stage, inputs=loads[k].lines,
                   bias=biases[k], load=loads[k + 1], vos=offsets.neurons[k], vos_rectifier=offsets.rectifiers[k],
                   vos_inverter=None if one.last else offsets.inverters[k], op=op, rectifier=rectifier)
        for k, one in enumerate(spec.layers))
    return Board(
        boards=max(offsets.boards, *(len(one.y) for one in ports)), columns=spec.columns, drivers=loads[0],
        drivers_limit=line_limit(loads[0].conductance, op.rail), vos_drivers=vos_first,
        vos_drivers_inverse=vos_first_inverse, layers=layers, op=op,
        integrator=Integrator(r_in=spec.r_in, c_int=spec.c_int, c_lead=spec.c_lead, vos=offsets.integrators, op=op,
                              ic_shift=spec.ic_shift))


def _by_column(columns: tuple[str, ...], external: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    return torch.cat([external, states], dim=-1)[:, nets.column_places(columns, external.shape[-1])]
