"""The bench around the board: supplies, generators, initial conditions, control, measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit

from circuits.board import nets
from circuits.board.board import BoardSpec, board, board_pins
from circuits.netlist.deck import Deck, Measure
from circuits.netlist.render import comment
from circuits.netlist.solver import ACCURATE, Solver

SUPPLY = 2.5  # V
# rshunt puts a hundredth of a picosiemens from every node to ground. Without it some nodes of a board whose wire meshes are
# reduced away have no entry on the matrix's diagonal, and KLU loses the operating point. Any value mends that; this one takes
# 5e-4 off the open-loop gain of an op-amp.
# pivrel lets KLU take a pivot on the diagonal that is only a millionth of the largest entry of its column; by default it must
# be a thousandth. KLU chooses its pivots once, at the start, and those on the diagonal still hold after the switches have
# moved, while others need not.
MACRO_SOLVER = "rshunt=1e14 pivrel=1e-6"
LONGEST_SOURCE = 4000  # characters; a longer source stands in a file of its own, one point a line, to keep the deck readable
SIGNALS = "signals"  # folder of these files


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When the run pre-charges, starts and ends, in circuit seconds."""

    duration: float  # s, integration
    start: float = 5e-3  # s, end of initial conditioning; 40 time constants of 100 ohm and 1 uF after ic_step
    ic_step: float = 1e-3  # s, when the initial-condition sources leave 0 V
    edge: float = 1e-8  # s, control edge
    max_step: float = 0.0  # s; 0: 1/2000 of the duration, which leaves 1e-5 of full scale of solver error; 1/500 leaves 1e-4

    @property
    def stop(self) -> float:
        return self.start + self.duration

    @property
    def step(self) -> float:
        return self.max_step or self.duration / 2000


def board_deck(
    *,
    name: str,
    title: str,
    banner: Sequence[str],
    spec: BoardSpec,
    stimuli: Sequence[Sequence[str]],
    initial: Sequence[float],
    v_ref: float,
    timing: Timing,
    solver: Solver = ACCURATE,
    measures: Sequence[Measure] = (),
    supply: float = SUPPLY,
) -> Deck:
    """Deck that pre-charges the integrators and lets the board solve.

    Args:
        stimuli: for every external input the SPICE sources [V] whose sum it is, e.g. ``[["sin(0.05 0.1 10 5m)"]]``.
        initial: initial voltage of every state [V].
        v_ref: bias reference [V].
        supply: voltage of both rails, positive and negative, and of the select logic that is fed from them [V].
    """
    c = Circuit(title)
    notes = {"v_cc": "V", "v_ee": "V"}
    c.V("_cc", "vcc", 0, f"dc {supply!r}")
    c.V("_ee", "vee", 0, f"dc {-supply!r}")
    c.V("_ref", nets.REFERENCE, 0, f"dc {v_ref!r}")
    c.V("_sel", nets.SELECT, 0, f"pwl(0 0 {timing.start!r} 0 {timing.start + timing.edge!r} {supply!r})")
    notes |= {"v_ref": "V, bias reference", "v_sel": f"V, 0: initial conditioning, {supply:g}: integration"}
    for k, value in enumerate(initial):
        net = nets.initial_condition(k)
        c.V(f"_{net}", net, 0, f"pwl(0 0 {timing.ic_step!r} 0 {timing.ic_step * 1.1!r} {value!r})")
        notes[f"v_{net}"] = f"V, initial value of state {k}"
    files, includes = {}, {}
    for k, sources in enumerate(stimuli):
        net = nets.external_column(k)
        nodes = [net, *(f"{net}_{i}" for i in range(1, len(sources))), 0]
        for i, source in enumerate(sources):
            element = f"{net}_{i}" if i else net
            note = f"V, external input {k}" + (", sources in series add" if len(sources) > 1 else "")
            if len(source) > LONGEST_SOURCE:
                file = f"{SIGNALS}/{name}_{element}.inc"
                files[file] = _source_file(f"v_{element} {nodes[i]} {nodes[i + 1]}", source, note)
                includes[file] = f"v_{element}: {note}"
            else:
                c.V(f"_{element}", nodes[i], nodes[i + 1], source)
                notes[f"v_{element}"] = note
    c.X(nets.BOARD, "board", *board_pins(spec))
    return Deck(
        name=name, title=title, banner=tuple(banner), block=board(spec), bench=c, notes=notes,
        analysis=f".tran {timing.step!r} {timing.stop!r} 0 {timing.step!r}",
        save=saved_vectors(spec), measures=tuple(measures),
        options=solver.options if spec.reduced is None else f"{solver.options} {MACRO_SOLVER}",
        extra_files=files, bench_includes=includes,
    )


def _source_file(element: str, source: str, note: str) -> str:
    """A piecewise linear source as a file, a point (time [s], voltage [V]) per line."""
    words = source.removeprefix("pwl(").removesuffix(")").split()
    points = [f"+ {time} {voltage}" for time, voltage in zip(words[::2], words[1::2], strict=True)]
    head = comment([f"{note}, {len(points)} points: time [s], voltage [V]"])
    return "\n".join([*head, f"{element} pwl(", *points, "+ )"]) + "\n"


def saved_vectors(spec: BoardSpec) -> tuple[str, ...]:
    """Voltages that every run saves: those of the bench, states, derivatives, integrators' nodes and hidden neurons."""
    vectors = [nets.vector(pin) for pin in board_pins(spec) if pin not in ("vcc", "vee", nets.REFERENCE)]
    for k in range(spec.n_states):
        integrator = nets.integrator(k)
        vectors += [nets.derivative_vector(k), nets.vector(nets.capacitor(k), nets.BOARD),
                    nets.vector("sum", nets.BOARD, integrator), nets.vector("op_out", nets.BOARD, integrator)]
    for number, layer in enumerate(spec.layers[:-1], start=1):
        vectors += [nets.hidden_vector(number, k) for k in range(layer.n_outputs)]
    return tuple(vectors)
