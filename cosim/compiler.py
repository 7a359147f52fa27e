"""The compiler: a torch network in, a board out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import nn

from circuits.array import SIZE
from circuits.board import BoardSpec
from circuits.conductances import DIGITS
from circuits.layer import LayerSpec
from circuits.select_transistor import SelectTransistor
from circuits.stages.relu_tia import leakage
from circuits.wires import Wires
from cosim.compensation import Compensated, compensate
from cosim.errors import MappingError, UnsupportedModelError
from cosim.network import Affine, read_network
from cosim.programming import Programming
from cosim.resistors import e96_at_least
from cosim.scaling import Calibration, Ranges, Scales, calibrate
from cosim.window import Window

CAPACITORS = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)  # F, integrators; the largest that leaves r_in at 100 kohm or more
R_F_STEPS = 12  # E96 steps tried until the compensated conductances fit the window


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be chosen at compile time; the defaults are the nominal board."""

    window: Window = field(default_factory=Window)
    ranges: Ranges = field(default_factory=Ranges)
    wires: Wires = field(default_factory=Wires)
    transistor: SelectTransistor = field(default_factory=SelectTransistor)
    programming: Programming = field(default_factory=Programming)
    all_cells: bool = True  # False leaves rows whose word line is off out of the deck: the same solution, several times faster
    time_scale: float = 1.0  # circuit seconds per model second


@dataclass(frozen=True, kw_only=True)
class CompiledLayer:
    """One array and its feedback resistor."""

    spec: LayerSpec
    target: np.ndarray  # (out, in + bias) [S], wanted differential conductance, the ReLU diode's leakage made good
    column_scale: np.ndarray  # (in + bias,) volts per unit
    compensated: Compensated  # wanted in every cell, and what the window did not allow
    g: np.ndarray  # (32, 32) [S], as programmed

    @property
    def g_p(self) -> np.ndarray:
        """(out, in + bias) [S], on the +v lines."""
        return self.g[: self.target.shape[0], 0 : 2 * self.target.shape[1] : 2]

    @property
    def g_n(self) -> np.ndarray:
        """(out, in + bias) [S], on the -v lines."""
        return self.g[: self.target.shape[0], 1 : 2 * self.target.shape[1] : 2]


@dataclass(frozen=True, kw_only=True)
class CompiledTwin:
    """A network as a board: topology, scales and conductances."""

    network: tuple[Affine, ...]
    columns: tuple[str, ...]
    scales: Scales
    board: BoardSpec
    layers: tuple[CompiledLayer, ...]
    options: Options


def compile_network(model: nn.Module, *, columns: tuple[str, ...], calibration: Calibration,
                    options: Options | None = None) -> CompiledTwin:
    """Compile d x/dt = model(columns) to a board.

    Args:
        model: ``torch.nn.Sequential`` of Linear and ReLU, every layer within one 32x32 array.
        columns: what each input of the model is, in order: ``u0``, ``u1``, ... external inputs, ``x0``, ``x1``, ...
            states; every state exactly once.
        calibration: samples of inputs and states; they fix the scales.
        options: window, ranges, wires, programming, time scale.
    Raises:
        UnsupportedModelError: a layer or a size that the board has no circuit for; names it.
        MappingError: conductances that cannot be reached.
    """
    options = options or Options()
    network = read_network(model)
    _check_shapes(network, columns, calibration)
    scales = calibrate(network, columns, calibration, options.ranges, options.time_scale)
    r_in, c_int = _integrator(scales)
    # E96 fixes r_in; the derivative's scale takes up the rest, so that the time constant is exact.
    scales = Scales(inputs=scales.inputs, state=scales.state, hidden=scales.hidden, bias=scales.bias, time=scales.time,
                    derivative=r_in * c_int * scales.state / scales.time)
    feeding = [np.array([scales.inputs[int(c[1:])] if c[0] == "u" else scales.state for c in columns])]
    feeding += [np.full(layer.n_outputs, scale) for layer, scale in zip(network[:-1], scales.hidden, strict=True)]
    layers = tuple(
        _compile_layer(number, layer, len(network), column_scale, out_scale, scales.bias, options)
        for number, (layer, column_scale, out_scale) in enumerate(
            zip(network, feeding, (*scales.hidden, scales.derivative), strict=True), start=1)
    )
    board = BoardSpec(layers=tuple(one.spec for one in layers), columns=columns, r_in=r_in, c_int=c_int)
    return CompiledTwin(network=network, columns=columns, scales=scales, board=board, layers=layers, options=options)


def _check_shapes(network: tuple[Affine, ...], columns: tuple[str, ...], calibration: Calibration) -> None:
    n_states, n_external = calibration.states.shape[1], calibration.inputs.shape[1]
    wanted = {f"u{k}" for k in range(n_external)} | {f"x{k}" for k in range(n_states)}
    if set(columns) != wanted or len(set(columns)) != len(columns):
        raise UnsupportedModelError(
            f"columns {columns} do not name every external input and state once; expected {sorted(wanted)}"
        )
    if network[0].n_inputs != len(columns):
        raise UnsupportedModelError(
            f"model takes {network[0].n_inputs} inputs, but there are {n_external} external inputs and {n_states} states"
        )
    if network[-1].n_outputs != n_states:
        raise UnsupportedModelError(
            f"model gives {network[-1].n_outputs} derivatives for {n_states} states; it needs one a state"
        )
    for number, layer in enumerate(network, start=1):
        lines = 2 * (layer.n_inputs + (layer.bias is not None))
        if lines > SIZE or layer.n_outputs > SIZE:
            raise UnsupportedModelError(
                f"Linear {number} ({layer.n_inputs} -> {layer.n_outputs}) needs {lines} bit lines and "
                f"{layer.n_outputs} source lines; one array has {SIZE} of each. Make the layer at most "
                f"{SIZE // 2 - 1} inputs (with bias) and {SIZE} outputs wide"
            )


def _integrator(scales: Scales) -> tuple[float, float]:
    time_constant = scales.derivative * scales.time / scales.state  # s; d v_x/dt = v_d / (r_in c_int)
    c_int = next((c for c in CAPACITORS if time_constant / c >= 100e3), CAPACITORS[-1])
    return e96_at_least(time_constant / c_int), c_int


def _compile_layer(number: int, layer: Affine, depth: int, column_scale: np.ndarray, out_scale: float, bias_volts: float,
                   options: Options) -> CompiledLayer:
    weight = layer.weight / column_scale
    if layer.bias is not None:
        weight = np.column_stack([weight, layer.bias / bias_volts])
        column_scale = np.append(column_scale, bias_volts)
    last = number == depth
    name = "output" if last else f"hidden_{number}"
    gain = np.abs(weight).max() * out_scale  # V out per V in, for a full-scale weight
    if not np.isfinite(gain):
        raise MappingError(f"layer {name}: weights of up to {np.abs(layer.weight).max():.3g} overflow their scaling")
    r_on = options.transistor.on_resistance()
    r_f = e96_at_least(gain / options.window.span) if gain > 0 else 10e3
    for _ in range(R_F_STEPS):
        target = weight * out_scale / r_f
        if layer.relu and layer.bias is not None:
            target[:, -1] += leakage() / bias_volts
        compensated = compensate(target, window=options.window, wires=options.wires, r_on=r_on)
        if not compensated.unreached():
            break
        r_f = e96_at_least(r_f * 1.001)
    spec = LayerSpec(name=name, n_inputs=layer.n_inputs, n_outputs=layer.n_outputs, bias=layer.bias is not None,
                     relu=layer.relu, r_f=r_f, all_cells=options.all_cells, last=last)
    g = options.programming.apply(compensated.g, options.window, number)
    g = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(g)  # what the deck will state
    return CompiledLayer(spec=spec, target=target, column_scale=column_scale, compensated=compensated, g=g)
