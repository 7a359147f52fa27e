"""The compiler: a torch network in, a board out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from circuits.array.conductances import DIGITS
from circuits.array.macromodel import Reduced
from circuits.array.tiling import Tile
from circuits.board import nets
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec, reduce_layer
from circuits.stages.rectifier import RESISTANCE
from circuits.stages.relu_tia import leakage
from cosim.compiler.compensation import AT_ONCE, Compensated, compensate_tiles
from cosim.compiler.compiled_twin import CompiledLayer, CompiledTile, CompiledTwin
from cosim.compiler.memory import check_memory
from cosim.compiler.options import Options
from cosim.compiler.overload import overloads
from cosim.compiler.resistors import LARGEST, e96_at_least, floor_digits
from cosim.compiler.scaling import Calibration, calibrate
from cosim.compiler.time_scale import check_time_scale, measure_time_scale
from cosim.console import Progress
from cosim.errors import CosimError, MappingError, UnsupportedModelError
from cosim.problem.network import Affine, Network

CAPACITORS = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)  # F, integrators; the largest that leaves r_in at 100 kohm or more
SLOWEST = LARGEST * CAPACITORS[0]  # s, of an integrator
SLOWEST_CHOSEN = 20.0  # s, where a slower one would be needed: 20 Mohm and 1 uF
R_F_STEPS = 12  # E96 steps tried until the compensated conductances fit the window


def compile_board(network: Network, calibration: Calibration, options: Options | None = None,
                  progress: Progress | None = None, *, programmed: Sequence[Affine] | None = None) -> CompiledTwin:
    """Compile d x/dt = network(columns) to a board.

    Args:
        network: of :func:`cosim.problem.network.read_network`; a layer takes as many 32x32 arrays as it needs.
        calibration: samples of inputs and states; they fix the scales.
        options: window, ranges, wires, programming, time scale.
        progress: called with (layer and feedback resistor, part done), of layers with more than one array.
        programmed: layers that the arrays are programmed to instead of the network's, of the same shapes; scales and the
            reference stay the network's own. See :func:`cosim.diagnosis.trim.trimmed_board`.
    Raises:
        UnsupportedModelError: network and calibration have different numbers of inputs or states.
        MappingError: conductances that cannot be reached.
        CosimError: the options ask for a trim, which :func:`cosim.diagnosis.trim.trimmed_board` does.
    """
    options = options or Options()
    if options.trim and programmed is None:
        raise CosimError("options.trim: compile_board knows no trim; call cosim.diagnosis.trim.trimmed_board, or "
                         "Experiment.compile")
    check_calibration(network.columns, calibration)
    check_memory([(2 * (layer.n_inputs + (layer.bias is not None)), layer.n_outputs) for layer in network], options.fidelity)
    limits, notes = measure_time_scale(network, calibration), []
    time_scale = options.time_scale
    if time_scale == "auto":
        time_scale = limits.fitting
        notes.append(f"time_scale = {time_scale:g} circuit seconds per model second: {limits.reason}")
    scales = calibrate(network, calibration, options.ranges, time_scale, options.window)
    # s; d v_x/dt = v_d / (r_in c_int), the same for all states
    time_constant = scales.derivatives[0] * scales.time / scales.states[0]
    notes += check_time_scale(limits, time_scale, time_constant, SLOWEST)
    if time_constant > SLOWEST:
        time_constant = SLOWEST_CHOSEN  # the derivatives then use a part of their range
    r_in, c_int = _integrator(time_constant)
    # E96 fixes r_in; the derivative's scale takes up the rest, so that the time constant is exact.
    scales = replace(scales, derivatives=tuple(r_in * c_int * state / scales.time for state in scales.states))
    feeding = [network.first(np.array([scales.inputs]), scales.state[None])[0]]
    hidden = [np.broadcast_to(scale, layer.n_outputs) for layer, scale in zip(network.layers[:-1], scales.neurons, strict=True)]
    feeding += hidden
    giving = [*hidden, scales.derivative]
    if any(scale.ndim for scale in scales.neurons):
        notes.append("hidden neurons have scales of their own, since some use a small part of their layer's range")
    layers: list[CompiledLayer] = []
    wanted = programmed or network.layers
    for number, (layer, column_scale, out_scale) in enumerate(zip(wanted, feeding, giving, strict=True), start=1):
        task = LayerTask(number=number, last=number == len(network), layer=layer, column_scale=column_scale,
                          out_scale=out_scale, bias_volts=scales.bias, undriven=layers[-1].spec.off_line if layers else "")
        layers.append(compile_layer(task, options, progress))
    c_lead = floor_digits(options.lead / r_in) if options.lead else 0.0
    board = BoardSpec(layers=tuple(layer.spec for layer in layers), columns=network.columns, r_in=r_in, c_int=c_int,
                      c_lead=c_lead, reduced=_reduced(layers) if options.fidelity == "macro" else None)
    notes += [note for layer in layers for note in layer.notes()]
    signals = [network.first(calibration.inputs, calibration.states), *network.signals(calibration.inputs, calibration.states)]
    largest = [np.abs(signal).max(axis=0) * scale for signal, scale in zip(signals, feeding, strict=False)]
    notes += overloads(layers, largest, scales.bias)
    return CompiledTwin(network=network, scales=scales, board=board, layers=tuple(layers), options=options,
                        notes=tuple(notes))


def check_calibration(columns: Sequence[str], calibration: Calibration) -> None:
    """Refuse samples that are not of this network's inputs and states.

    Raises:
        UnsupportedModelError: says which numbers differ.
    """
    n_states, n_external = calibration.states.shape[1], calibration.inputs.shape[1]
    wanted = nets.standard_columns(n_external, n_states)
    if set(columns) != set(wanted):
        raise UnsupportedModelError(f"the calibration has {n_external} external inputs and {n_states} states, so the columns "
                                    f"are {', '.join(wanted)} in any order, not {', '.join(columns)}; give as many of each")


def _integrator(time_constant: float) -> tuple[float, float]:
    c_int = next((c for c in CAPACITORS if time_constant / c >= 100e3), CAPACITORS[-1])
    return e96_at_least(time_constant / c_int), c_int


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerTask:
    """A layer and its place on the board."""

    number: int  # from 1
    last: bool
    layer: Affine
    column_scale: np.ndarray  # (in,) V per unit
    out_scale: np.ndarray  # (out,) V per unit
    bias_volts: float
    undriven: str  # see LayerSpec
    own_name: str = ""  # "": by number and place

    @property
    def name(self) -> str:
        return self.own_name or ("output" if self.last else f"hidden_{self.number}")

    def spec(self, r_f: float, options: Options) -> LayerSpec:
        layer = self.layer
        return LayerSpec(name=self.name, n_inputs=layer.n_inputs, n_outputs=layer.n_outputs, bias=layer.bias is not None,
                         relu=layer.relu, r_f=r_f, neuron=options.neuron, all_cells=options.all_cells, last=self.last,
                         wires=options.wires, transistor=options.transistor, r_board=options.r_board, kappa=options.kappa,
                         undriven=self.undriven)


def compile_layer(task: LayerTask, options: Options, progress: Progress | None = None) -> CompiledLayer:
    """Arrays and feedback resistor of one layer."""
    layer, column_scale = task.layer, task.column_scale
    weight = layer.weight / column_scale
    if layer.bias is not None:
        weight = np.column_stack([weight, layer.bias / task.bias_volts])
        column_scale = np.append(column_scale, task.bias_volts)
    weight = weight * task.out_scale[:, None]  # V out per V in
    gain = np.abs(weight).max()
    if not np.isfinite(gain):
        raise MappingError(f"layer {task.name}: weights of up to {np.abs(layer.weight).max():.3g} overflow their scaling")
    r_f = e96_at_least(gain / options.window.span) if gain > 0 else 10e3
    worst = 0  # the array that is looked at first
    for step in range(R_F_STEPS):
        target = weight / r_f
        if layer.relu and layer.bias is not None:
            # The blocking diode takes it from the source line, or after the gain of r_f from the rectifier's.
            gain = r_f / RESISTANCE if options.neuron == "two_stage" else 1.0
            target[:, -1] += leakage() / gain / task.bias_volts
        spec = task.spec(r_f, options)
        parts = [target[tile.outputs, tile.first_line // 2 : (tile.first_line + tile.n_lines) // 2] for tile in spec.tiles]
        if not step:
            worst = int(np.argmax([np.abs(part).max(initial=0.0) for part in parts]))
        last = step + 1 == R_F_STEPS
        if not last and len(parts) > 1 and _compensated(spec, [parts[worst]], options)[0].unreached():
            r_f = e96_at_least(r_f * 1.001)  # the other arrays need not be looked at
            continue
        arrays = _compensated(spec, parts, options, progress)
        unreached = [number for number, compensated in enumerate(arrays) if compensated.unreached()]
        if not unreached or last:
            break
        worst = unreached[0]
        r_f = e96_at_least(r_f * 1.001)
    tiles = tuple(CompiledTile(tile=tile, wanted=compensated, g=_programmed(compensated.g, options, task.number, tile))
                  for tile, compensated in zip(spec.tiles, arrays, strict=True))
    return CompiledLayer(spec=spec, window=options.window, target=target, column_scale=column_scale, out_scale=task.out_scale,
                         tiles=tiles)


def _compensated(spec: LayerSpec, parts: Sequence[np.ndarray], options: Options,
                 progress: Progress | None = None) -> list[Compensated]:
    """Arrays that compute the parts of a layer; of several the progress is told."""
    label = f"{spec.name}, {len(parts)} arrays, r_f {spec.r_f:g} ohm"
    found: list[Compensated] = []
    for first in range(0, len(parts), AT_ONCE):
        if progress is not None and len(parts) > 1:
            progress(label, first / len(parts))
        found += compensate_tiles(parts[first : first + AT_ONCE], window=options.window, wires=options.wires,
                                  r_on=options.transistor.on_resistance(), r_port=spec.r_port)
    if progress is not None and len(parts) > 1:
        progress(label, 1.0)
    return found


def _programmed(g: np.ndarray, options: Options, layer: int, tile: Tile) -> np.ndarray:
    g = options.programming.apply(g, options.window, layer, tile.row, tile.column)
    return np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(g)  # what the deck will state


def _reduced(layers: Sequence[CompiledLayer]) -> dict[str, Reduced]:
    return {name: array for layer in layers
            for name, array in reduce_layer(layer.spec, [tile.g for tile in layer.tiles]).items()}
