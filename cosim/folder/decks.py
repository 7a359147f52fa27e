"""From a compiled twin to the text of its decks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.array.conductances import conductance_text
from circuits.board import nets
from circuits.board.testbench import Timing, board_deck
from circuits.netlist.deck import Deck, Measure
from cosim.compiler.compile import CompiledLayer, CompiledTile, CompiledTwin
from cosim.problem.case import Case


def case_timing(twin: CompiledTwin, case: Case) -> Timing:
    """Circuit-time schedule of one case."""
    return Timing(duration=case.duration * twin.scales.time, max_step=twin.options.max_step * twin.scales.time)


def case_deck(twin: CompiledTwin, case: Case, reference: np.ndarray, subject: str) -> Deck:
    """The deck of one case, with the torch solution's values beside its measures.

    Args:
        reference: (samples, n_states), model units, on ``case.times``; only used to state what to expect.
        subject: what is being solved, for the title.
    """
    scales, timing = twin.scales, case_timing(twin, case)
    stimuli = [
        stimulus.stretched(scales.time).spice_sources(scales.inputs[k], timing.start, timing.duration)
        for k, stimulus in enumerate(case.stimuli)
    ]
    return board_deck(
        name=case.name,
        title=f"{subject}, {case.name.replace('_', ' ')}",
        banner=_banner(twin, case, timing),
        spec=twin.board,
        stimuli=stimuli,
        initial=[float(f"{value * scale:.9g}") for value, scale in zip(case.initial, scales.states, strict=True)],
        v_ref=scales.bias,
        timing=timing,
        solver=twin.options.solver,
        measures=_measures(case, timing, reference * scales.state),
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


def _banner(twin: CompiledTwin, case: Case, timing: Timing) -> list[str]:
    s = twin.scales
    widths = "-".join(map(str, twin.network.widths))
    units = [f"{nets.external_column(k)} {scale:g} V" for k, scale in enumerate(s.inputs)]
    units += _by_state("state", s.states, ".6g" if len(set(s.states)) > 1 else "g")
    units += [f"hidden {k} {scale:g} V" for k, scale in enumerate(s.hidden, start=1)]
    units += _by_state("derivative", s.derivatives, ".6g")
    return [
        f"purpose    solve d x/dt = f(u, x) in continuous time, f a {widths} network; states x0.. are the outputs",
        "generator  cosim; generated, do not edit; scales, seeds and versions in manifest.json",
        f"weights    sha256 {twin.network.hash}",
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
