"""Every loop of a board: which stage it is, between which lines it works, and in which states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.board import nets
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec
from circuits.board.testbench import SUPPLY
from circuits.loops.bench import Surroundings
from circuits.loops.line import LayerLines, Line, layer_lines
from circuits.parts import model_parameters
from circuits.stages.clamp import R_S
from circuits.stages.inverter import R_INVERTER
from circuits.stages.rectifier import RESISTANCE

STIFF = 1e-3  # ohm, output resistance of a generator
Z_O, C_OUT = 600.0, 141e-12  # ohm, F: the op-amp's output without feedback, see the header of the part
OP_AMP_OUTPUT = Line(g=1.0 / Z_O, c=C_OUT)
PARTS = (1.0, 0.1, 0.01)  # operating points of a neuron that is on or off, as parts of its largest signal


@dataclass(frozen=True)
class State:
    """An operating point of a loop."""

    name: str  # "on, 10%", "crossover", "off, 10%", "signal", "integration", "pre-charge"
    place: Surroundings


@dataclass(frozen=True, kw_only=True)
class Loop:
    """An amplifier and its feedback."""

    place: str  # where on the board: a layer's name, "states", "inputs", "bias"
    kind: str  # its name in tables: "relu_tia", "tia", "inverter", "buffer", "integrator", ...
    number: int  # counted in its place
    stage: str  # one of circuits.loops.bench.STAGES
    signal: str  # saved vector whose peak is the largest signal of this loop; "" for the bias
    clamped: bool  # whether the signal is on a line with a clamp
    states: tuple[State, ...]

    @property
    def name(self) -> str:
        return f"{self.place} {self.kind} {self.number}"


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Largest signals of a board, from which the operating points follow."""

    line: float  # V, crossbar lines
    derivative: float  # V, the output layer
    bias: float  # V


def board_loops(spec: BoardSpec, conductances: Sequence[Sequence[np.ndarray]], levels: Levels, *,
                stray: float = 0.0) -> list[Loop]:
    """All loops of a board, in the order in which a signal passes them.

    A TIA sees its source line, driven through the line's driving-point conductance. An output sees the bit lines of the next
    layer and the inputs of the stages there. An inverter, a rectifier or an integrator sees its driver as it is at frequencies
    at which the driver's own loop has no gain: a bare op-amp, its clamp's resistor, and the line. A source line carries at
    most what all its bit lines give at full scale, which decides how far off a neuron can be.

    Args:
        spec: of the board.
        conductances: for every layer and tile (32, 32) [S], as programmed.
        levels: largest signals.
        stray: capacitance [F] of package and board at every pin of an array, which the board's decks leave out.
    """
    lines = [layer_lines(layer, g, stray) for layer, g in zip(spec.layers, conductances, strict=True)]
    loops = []
    for k in range(spec.n_external):
        lines_of_input = _pair(lines[0], spec.columns.index(nets.external_column(k)))
        loops += _buffered("inputs", k, nets.external_vector(k), *lines_of_input, levels.line)
    if spec.any_bias:
        biased = [_pair(own, -1) for layer, own in zip(spec.layers, lines, strict=True) if layer.bias]
        loops += _buffered("bias", 0, "", *(sum(wires, Line()) for wires in zip(*biased, strict=True)), levels.bias)
    for number, layer in enumerate(spec.layers[:-1], start=1):
        loops += _hidden(layer, number, lines[number - 1], lines[number], levels)
    loops += _output(spec, lines[-1], levels)
    for k in range(spec.n_states):
        loops += _state(spec, k, *_pair(lines[0], spec.columns.index(nets.state_column(k))), levels)
    return loops


def _pair(lines: LayerLines, j: int) -> tuple[Line, Line]:
    pairs = lines.bits[0::2], lines.bits[1::2]
    return pairs[0][j], pairs[1][j]


def _buffered(place: str, k: int, signal: str, p: Line, n: Line, level: float) -> Iterator[Loop]:
    """The follower that drives a line, and the inverter behind it."""
    yield Loop(place=place, kind="buffer", number=k, stage="follower", signal=signal, clamped=True, states=(
        State("signal", Surroundings(drive=level, r_drive=STIFF, load=p + Line(g=1.0 / R_INVERTER))),))
    yield _inverter(place, k, signal, p, n, level)


def _inverter(place: str, k: int, signal: str, source: Line, load: Line, level: float, idle: float | None = None) -> Loop:
    """The inverter behind a clamped line; ``idle`` is the conductance [S] that holds the line while its neuron is off."""
    junctions = Line(c=2.0 * model_parameters("d1n4148", "d1n4148")["cjo"])
    on = _behind(source + junctions + Line(g=1.0 / (R_S + Z_O)), level, R_INVERTER, load)
    states = [State("signal" if idle is None else "on", on)]
    if idle is not None:
        states.append(State("off", _behind(source + junctions + Line(g=idle), 0.0, R_INVERTER, load)))
    return Loop(place=place, kind="inverter", number=k, stage="inverter", signal=signal, clamped=True, states=tuple(states))


def _behind(source: Line, level: float, r_in: float, load: Line) -> Surroundings:
    """What surrounds a stage with an input resistor at ``level`` [V]: its driver without the driver's own loop."""
    return Surroundings(drive=level * (1.0 + 1.0 / (source.g * r_in)), r_drive=1.0 / source.g, c_input=source.c, load=load)


def _hidden(layer: LayerSpec, number: int, own: LayerLines, following: LayerLines, levels: Levels) -> Iterator[Loop]:
    inverter, level = Line(g=1.0 / R_INVERTER), levels.line
    for k, source in enumerate(own.sources):
        where = dict(place=layer.name, number=k, signal=nets.hidden_vector(number, k), clamped=True)
        p, n = _pair(following, k)
        idle = 1.0 / (layer.r_f + 1.0 / source.g)
        if layer.two_stage:
            linear = where | dict(signal=nets.before_rectifier_vector(number, k), clamped=False)
            yield Loop(kind="tia", stage="tia", **linear, states=(
                State("signal", _summing(source, layer.r_f, level, Line(g=1.0 / RESISTANCE))),))
            at = _neuron(level, min(layer.r_f * source.g * level, SUPPLY))  # all bit lines at full scale
            yield Loop(kind="rectifier", stage="rectifier", **where, states=tuple(
                State(name, _behind(OP_AMP_OUTPUT, -volts, RESISTANCE, p + inverter)) for name, volts in at))
            yield _inverter(layer.name, k, where["signal"], p, n, level, idle=1.0 / RESISTANCE)
        elif layer.relu:
            yield _relu(layer, source, n + inverter, level, **where)
            yield _inverter(layer.name, k, where["signal"], n, p, level, idle=idle)
        else:
            yield Loop(kind="clamped_tia", stage="clamped_tia", **where, states=(
                State("signal", _summing(source, layer.r_f, level, n + inverter)),))
            yield _inverter(layer.name, k, where["signal"], n, p, level)


def _relu(layer: LayerSpec, source: Line, load: Line, level: float, **where) -> Loop:
    furthest = layer.r_f * source.g * level  # all bit lines at full scale
    return Loop(kind="relu_tia", stage="relu_tia", **where, states=tuple(
        State(name, _summing(source, layer.r_f, volts, load)) for name, volts in _neuron(level, furthest)))


def _output(spec: BoardSpec, own: LayerLines, levels: Levels) -> Iterator[Loop]:
    layer, load = spec.layers[-1], Line(g=1.0 / spec.r_in, c=spec.c_lead)
    for k, source in enumerate(own.sources):
        where = dict(place=layer.name, number=k, signal=nets.derivative_vector(k), clamped=layer.relu)
        if layer.relu:
            yield _relu(layer, source, load, levels.line, **where)
        else:
            yield Loop(kind="tia", stage="tia", **where, states=(
                State("signal", _summing(source, layer.r_f, levels.derivative, load)),))


def _state(spec: BoardSpec, k: int, p: Line, n: Line, levels: Levels) -> Iterator[Loop]:
    signal, load = nets.state_vector(k), p + Line(g=1.0 / R_INVERTER)
    parameters = {"r_in": spec.r_in, "c_int": spec.c_int, "v_hold": levels.line}
    if spec.c_lead:
        parameters |= {"c_lead": spec.c_lead}
    yield Loop(place="states", kind="integrator", number=k, signal=signal, clamped=True,
               stage="ivp_integrator_lead" if spec.c_lead else "ivp_integrator", states=tuple(
        State(name, Surroundings(drive=levels.derivative, r_drive=Z_O, c_input=C_OUT, load=load,
                                 parameters=parameters | {"sel": sel}))
        for name, sel in (("integration", SUPPLY), ("pre-charge", 0.0))))
    yield from _buffered("states", k, signal, p, n, levels.line)


def _summing(source: Line, r_f: float, level: float, load: Line) -> Surroundings:
    """What surrounds a TIA whose output is at -``level`` [V]."""
    return Surroundings(drive=level / (r_f * source.g), r_drive=1.0 / source.g, c_input=source.c, load=load,
                        parameters={"r_f": r_f})


def _neuron(on: float, off: float) -> list[tuple[str, float]]:
    """Names of a neuron's operating points and their levels [V], positive when it is on."""
    return [*((f"on, {part:.0%}", part * on) for part in PARTS), ("crossover", 0.0),
            *((f"off, {part:.0%}", -part * off) for part in reversed(PARTS))]
