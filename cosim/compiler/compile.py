"""The compiler: a torch network in, a board out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from circuits.array.conductances import DIGITS
from circuits.array.macromodel import Reduced
from circuits.array.tiling import Tile
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec, reduce_layer
from circuits.stages.rectifier import RESISTANCE
from circuits.stages.relu_tia import leakage
from cosim.compiler.compensation import Compensated, compensate
from cosim.compiler.memory import check_memory
from cosim.compiler.options import Options
from cosim.compiler.resistors import e96_at_least, floor_digits
from cosim.compiler.scaling import Calibration, Scales, calibrate
from cosim.console import Progress
from cosim.errors import MappingError, UnsupportedModelError
from cosim.problem.network import Affine, read_network

CAPACITORS = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)  # F, integrators; the largest that leaves r_in at 100 kohm or more
R_F_STEPS = 12  # E96 steps tried until the compensated conductances fit the window


@dataclass(frozen=True, kw_only=True)
class CompiledTile:
    """One array."""

    tile: Tile
    wanted: Compensated
    g: np.ndarray  # (32, 32) [S], as programmed


@dataclass(frozen=True, kw_only=True)
class CompiledLayer:
    """The arrays of a layer and their feedback resistor."""

    spec: LayerSpec
    target: np.ndarray  # (out, in + bias) [S], wanted differential conductance, the ReLU diode's leakage made good
    column_scale: np.ndarray  # (in + bias,) volts per unit
    tiles: tuple[CompiledTile, ...]

    def unreached(self) -> list[tuple[int, int, float]]:
        """Weights that the window did not allow, as (output, input, residual [S]), worst first."""
        cells = [(one.tile.first_output + r, one.tile.first_line // 2 + c, residual)
                 for one in self.tiles for r, c, residual in one.wanted.unreached()]
        return sorted(cells, key=lambda cell: -abs(cell[2]))


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
                    options: Options | None = None, progress: Progress | None = None) -> CompiledTwin:
    """Compile d x/dt = model(columns) to a board.

    Args:
        model: a chain of Linear and ReLU, as ``torch.nn.Sequential`` or a module of your own (:func:`cosim.problem.network
            .sequential_of`); a layer takes as many 32x32 arrays as it needs.
        columns: what each input of the model is, in order: ``u0``, ``u1``, ... external inputs, ``x0``, ``x1``, ...
            states; every state exactly once.
        calibration: samples of inputs and states; they fix the scales.
        options: window, ranges, wires, programming, time scale.
        progress: called with (layer and feedback resistor, part done), of layers with more than one array.
    Raises:
        UnsupportedModelError: a layer or a size that the board has no circuit for; names it.
        MappingError: conductances that cannot be reached.
    """
    options = options or Options()
    network = read_network(model)
    check_shapes(network, columns, calibration)
    check_memory([(2 * (one.n_inputs + (one.bias is not None)), one.n_outputs) for one in network], options.fidelity)
    scales = calibrate(network, columns, calibration, options.ranges, options.time_scale)
    r_in, c_int = _integrator(scales)
    # E96 fixes r_in; the derivative's scale takes up the rest, so that the time constant is exact.
    scales = Scales(inputs=scales.inputs, state=scales.state, hidden=scales.hidden, bias=scales.bias, time=scales.time,
                    derivative=r_in * c_int * scales.state / scales.time)
    feeding = [np.array([scales.inputs[int(c[1:])] if c[0] == "u" else scales.state for c in columns])]
    feeding += [np.full(layer.n_outputs, scale) for layer, scale in zip(network[:-1], scales.hidden, strict=True)]
    layers: list[CompiledLayer] = []
    for layer, column_scale, out_scale in zip(network, feeding, (*scales.hidden, scales.derivative), strict=True):
        layers.append(_compile_layer(len(layers) + 1, layer, len(network), column_scale, out_scale, scales.bias,
                                     layers[-1].spec.off_line if layers else "", options, progress))
    c_lead = floor_digits(options.lead / r_in) if options.lead else 0.0
    board = BoardSpec(layers=tuple(one.spec for one in layers), columns=columns, r_in=r_in, c_int=c_int, c_lead=c_lead,
                      reduced=_reduced(layers) if options.fidelity == "macro" else None)
    return CompiledTwin(network=network, columns=columns, scales=scales, board=board, layers=tuple(layers), options=options)


def check_shapes(network: tuple[Affine, ...], columns: tuple[str, ...], calibration: Calibration) -> None:
    """Refuse a network that does not fit its columns and its calibration.

    Raises:
        UnsupportedModelError: says which of the three numbers differ.
    """
    n_states, n_external = calibration.states.shape[1], calibration.inputs.shape[1]
    wanted = {f"u{k}" for k in range(n_external)} | {f"x{k}" for k in range(n_states)}
    if set(columns) != wanted or len(set(columns)) != len(columns):
        raise UnsupportedModelError(
            f"columns {columns} do not name every external input and state once; expected {sorted(wanted)}"
        )
    if network[0].n_inputs != len(columns):
        raise UnsupportedModelError(
            f"model takes {network[0].n_inputs} inputs, but the calibration has {n_external} external and {n_states} of the "
            "states; it needs as many as both together"
        )
    if network[-1].n_outputs != n_states:
        raise UnsupportedModelError(
            f"model gives {network[-1].n_outputs} derivatives for {n_states} states; it needs one a state"
        )


def _integrator(scales: Scales) -> tuple[float, float]:
    time_constant = scales.derivative * scales.time / scales.state  # s; d v_x/dt = v_d / (r_in c_int)
    c_int = next((c for c in CAPACITORS if time_constant / c >= 100e3), CAPACITORS[-1])
    return e96_at_least(time_constant / c_int), c_int


def _compile_layer(number: int, layer: Affine, depth: int, column_scale: np.ndarray, out_scale: float, bias_volts: float,
                   undriven: str, options: Options, progress: Progress | None) -> CompiledLayer:
    weight = layer.weight / column_scale
    if layer.bias is not None:
        weight = np.column_stack([weight, layer.bias / bias_volts])
        column_scale = np.append(column_scale, bias_volts)
    last = number == depth
    name = "output" if last else f"hidden_{number}"
    gain = np.abs(weight).max() * out_scale  # V out per V in, for a full-scale weight
    if not np.isfinite(gain):
        raise MappingError(f"layer {name}: weights of up to {np.abs(layer.weight).max():.3g} overflow their scaling")
    r_f = e96_at_least(gain / options.window.span) if gain > 0 else 10e3
    for _ in range(R_F_STEPS):
        target = weight * out_scale / r_f
        if layer.relu and layer.bias is not None:
            # The blocking diode takes it from the source line, or after the gain of r_f from the rectifier's.
            gain = r_f / RESISTANCE if options.neuron == "two_stage" else 1.0
            target[:, -1] += leakage() / gain / bias_volts
        spec = LayerSpec(name=name, n_inputs=layer.n_inputs, n_outputs=layer.n_outputs, bias=layer.bias is not None,
                         relu=layer.relu, r_f=r_f, neuron=options.neuron, all_cells=options.all_cells, last=last,
                         wires=options.wires, transistor=options.transistor, r_board=options.r_board, kappa=options.kappa,
                         undriven=undriven)
        arrays = [(tile, _compensate_tile(tile, spec, target, options)) for tile in _told(spec, progress)]
        if not any(one.unreached() for _, one in arrays):
            break
        r_f = e96_at_least(r_f * 1.001)
    tiles = tuple(CompiledTile(tile=tile, wanted=one, g=_programmed(one.g, options, number, tile))
                  for tile, one in arrays)
    return CompiledLayer(spec=spec, target=target, column_scale=column_scale, tiles=tiles)


def _told(spec: LayerSpec, progress: Progress | None) -> Iterator[Tile]:
    """Tiles of a layer, each told as it is taken; of a single one there is nothing to tell."""
    told = progress if progress is not None and not spec.is_one_tile else lambda label, part: None
    label = f"{spec.name}, {len(spec.tiles)} arrays, r_f {spec.r_f:g} ohm"
    for number, tile in enumerate(spec.tiles):
        told(label, number / len(spec.tiles))
        yield tile
    told(label, 1.0)


def _compensate_tile(tile: Tile, spec: LayerSpec, target: np.ndarray, options: Options) -> Compensated:
    part = target[tile.outputs, tile.first_line // 2 : (tile.first_line + tile.n_lines) // 2]
    return compensate(part, window=options.window, wires=options.wires, r_on=options.transistor.on_resistance(),
                      r_port=0.0 if spec.is_one_tile else spec.r_board)


def _programmed(g: np.ndarray, options: Options, layer: int, tile: Tile) -> np.ndarray:
    g = options.programming.apply(g, options.window, layer, tile.row, tile.column)
    return np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(g)  # what the deck will state


def _reduced(layers: Sequence[CompiledLayer]) -> dict[str, Reduced]:
    return {name: array for layer in layers for name, array in reduce_layer(layer.spec, [one.g for one in layer.tiles]).items()}
