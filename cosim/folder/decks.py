"""From a board and a case to the text of a deck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.array.conductances import conductance_text
from circuits.board import nets
from circuits.board.board import BoardSpec
from circuits.board.testbench import SUPPLY, Timing, board_deck
from circuits.netlist.deck import Deck, Measure
from circuits.netlist.solver import Solver
from cosim.compiler.compiled_twin import CompiledLayer, CompiledTile, CompiledTwin
from cosim.compiler.scaling import Scales
from cosim.problem.case import Case


@dataclass(frozen=True, kw_only=True, eq=False)
class DeckPlan:
    """What the decks of a twin have in common; of a twin just compiled (:func:`plan_of`) or read back from its folder."""

    subject: str  # what is being solved, for the titles
    board: BoardSpec
    scales: Scales
    widths: tuple[int, ...]  # of the network: inputs, then outputs of every layer
    weights_sha256: str  # of the network, see cosim.problem.network.Network.hash
    solver: Solver
    max_step: float  # model s, largest solver step; 0: the timing's own

    def timing(self, case: Case) -> Timing:
        """Circuit-time schedule of one case."""
        return Timing(duration=case.duration * self.scales.time, max_step=self.max_step * self.scales.time)


def plan_of(twin: CompiledTwin, subject: str) -> DeckPlan:
    """The plan of a compiled twin's decks."""
    return DeckPlan(subject=subject, board=twin.board, scales=twin.scales, widths=twin.network.widths,
                    weights_sha256=twin.network.hash, solver=twin.options.solver, max_step=twin.options.max_step)


def case_timing(twin: CompiledTwin, case: Case) -> Timing:
    """Circuit-time schedule of one case of a compiled twin."""
    return plan_of(twin, "").timing(case)


def case_deck(plan: DeckPlan, case: Case, reference: np.ndarray, supply: float = SUPPLY) -> Deck:
    """The deck of one case, with the torch solution's values beside its measures.

    Args:
        reference: (samples, n_states), model units, on ``case.times``; only used to state what to expect.
        supply: either rail [V].
    """
    scales, timing = plan.scales, plan.timing(case)
    stimuli = [
        stimulus.stretched(scales.time).spice_sources(scales.inputs[k], timing.start, timing.duration)
        for k, stimulus in enumerate(case.stimuli)
    ]
    return board_deck(
        name=case.name,
        title=f"{plan.subject}, {case.name.replace('_', ' ')}",
        banner=_banner(plan, timing),
        spec=plan.board,
        stimuli=stimuli,
        initial=[float(f"{value * scale:.9g}") for value, scale in zip(case.initial, scales.states, strict=True)],
        v_ref=scales.bias,
        timing=timing,
        solver=plan.solver,
        measures=_measures(case, timing, reference * scales.state),
        supply=supply,
    )


def conductance_file(layer: CompiledLayer, one: CompiledTile) -> str:
    """Programmed conductances of one array as ``.param`` lines, the only file that changes with the weights."""
    tile, lines = one.tile, one.tile.n_lines
    remarks = [f"in use: rows 0..{tile.n_outputs - 1}, columns 0..{lines - 1}; columns 2j and 2j+1 carry +v and -v of input j"]
    if not layer.spec.is_one_tile:
        remarks.append(f"tile at row {tile.row}, column {tile.column} of layer {layer.spec.name}: outputs from "
                       f"{tile.first_output} on, inputs from {tile.first_line // 2} on")
    if layer.spec.bias and tile.first_line + lines == layer.spec.n_bit_lines:
        remarks.append(f"the bias is columns {lines - 2} and {lines - 1}")
    return conductance_text(one.g, tile.name, remarks)


def _range(scale: np.ndarray) -> str:
    return f"{scale:g}" if not scale.ndim else f"{scale.min():g} to {scale.max():g}, each neuron its own, see manifest.json,"


def _banner(plan: DeckPlan, timing: Timing) -> list[str]:
    s = plan.scales
    widths = "-".join(map(str, plan.widths))
    units = [f"{nets.external_column(k)} {scale:g} V" for k, scale in enumerate(s.inputs)]
    units += _by_state("state", s.states, ".6g" if len(set(s.states)) > 1 else "g")
    units += [f"hidden {k} {_range(scale)} V" for k, scale in enumerate(s.neurons, start=1)]
    units += _by_state("derivative", s.derivatives, ".6g")
    return [
        f"purpose    solve d x/dt = f(u, x) in continuous time, f a {widths} network; states x0.. are the outputs",
        "generator  cosim; generated, do not edit; scales, seeds and versions in manifest.json",
        f"weights    sha256 {plan.weights_sha256}",
        "hierarchy  board > layer_<n> > array_<n> > cell_1t1r; board > ivp_integrator; parts in parts/, blocks in blocks/",
        "pairs      input j of a layer drives bit lines 2j (+v) and 2j+1 (-v); w = (g_p - g_n) / g_scale",
        "inversion  a neuron's native output is its _n line, an inverter makes _p; d<k> is minus the derivative",
        "scales     one model unit is: " + ", ".join(units),
        f"time       pre-charge until {timing.start:g} s, then {timing.duration:g} s; one model second is {s.time:g} s",
    ]


def _by_state(what: str, scales: Sequence[float], digits: str) -> list[str]:
    """One remark where all states have the same scale, else one per state."""
    if len(set(scales)) == 1:
        return [f"{what} {scales[0]:{digits}} V"]
    return [f"{what} {k} {scale:{digits}} V" for k, scale in enumerate(scales)]


def _measures(case: Case, timing: Timing, volts: np.ndarray) -> list[Measure]:
    measures = []
    for k in range(volts.shape[1]):
        column, node = nets.state_column(k), nets.state_vector(k)
        measures.append(Measure(name=f"{column}_start", rule=f"find {node} at={timing.start * 0.99:.9g}", expect=volts[0, k]))
        for label, sample in (("middle", (case.samples - 1) // 2), ("end", case.samples - 1)):
            # nine digits may lie behind the last point
            at = min(float(f"{timing.start + timing.duration * sample / (case.samples - 1):.9g}"), timing.stop)
            measures.append(Measure(name=f"{column}_{label}", rule=f"find {node} at={at!r}", expect=volts[sample, k]))
        window = f"from={timing.start:.9g} to={timing.stop:.9g}"
        measures.append(Measure(name=f"{column}_max", rule=f"max {node} {window}", expect=volts[:, k].max()))
    return measures
