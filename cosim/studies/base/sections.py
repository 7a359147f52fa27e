"""The standard sections of a report: what a board computed, how its circuit got there, what it was compiled to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosim.comparison.case_comparison import CaseComparison
from cosim.comparison.comparison import Comparison
from cosim.report.conductance_maps import conductance_maps
from cosim.report.floor_plan import floor_plan
from cosim.report.neurons import MOST_LAYERS, MOST_NEURONS, neurons, readable_span
from cosim.report.page import Figure, Section
from cosim.report.pre_charge import MOST_STATES as MOST_INTEGRATORS
from cosim.report.pre_charge import pre_charge
from cosim.report.quantity import quantity
from cosim.report.state_curves import MOST_STATES, state_curves
from cosim.simulation.expected import hidden_volts
from cosim.studies.base.compiled_tables import compiled_tables
from cosim.studies.base.why import why_section

MOST_BOARDS = 4  # that are drawn
MOST_CASES = 12  # of a board, that are drawn
PER_FIGURE = 4  # cases side by side
WIDTH = 13.5  # inches, of a figure over the whole page


def standard_sections(comparison: Comparison) -> list[Section]:
    """Why the board differs where it does, then for each board waveforms and their errors, hidden neurons, pre-charge, floor
    plan, conductances and what was compiled.

    Of many boards, cases and states those with the largest errors are drawn, which the captions say.
    """
    boards: dict[str, list[CaseComparison]] = {}
    for case in comparison.cases:
        boards.setdefault(case.run.board, []).append(case)
    worst = sorted(boards, key=lambda board: -max(map(largest_error, boards[board])))[:MOST_BOARDS]
    sections = [section for board in boards if board in worst for section in _board_sections(board, boards[board])]
    if len(boards) > MOST_BOARDS:
        note = (f"Of {len(boards)} boards the {MOST_BOARDS} with the largest errors are drawn; `cosim report` of a board's own "
                "folder draws any other.")
        sections.insert(0, Section(title="Boards", note=note))
    return [*why_section(comparison), *sections]


def largest_error(case: CaseComparison) -> float:
    """Largest error of any state, part of full scale; of a state at which torch rests it is not told."""
    return max((error.max_error for error in case.errors if error.max_error is not None), default=0.0)


def _board_sections(board: str, cases: Sequence[CaseComparison]) -> list[Section]:
    name = f", {board}" if board else ""
    compiled = cases[0].run.compiled
    shown = max(cases, key=largest_error)
    sections = [Section(title=f"Circuit against torch{name}", figures=_curves(cases)),
                Section(title=f"Inside the board{name}", figures=_inside(shown))]
    layers, manifest = compiled.board.layers, compiled.manifest
    count = sum(len(layer.tiles) for layer in layers)
    figures = [
        Figure.drawn(floor_plan(layers), f"Floor plan: {count} array{'s' if count > 1 else ''} of 32 × 32; filled: source "
                     "lines × bit lines in use. The arrays of one output share its source-line amplifier; the bias is the last "
                     "pair of bit lines."),
        Figure.drawn(conductance_maps(layers, compiled.conductances(), manifest.window),
                     "Programmed conductances; the white frame holds the cells in use, the word lines below it are off."),
    ]
    return [*sections, Section(title=f"What was compiled{name}", figures=figures, tables=compiled_tables(compiled))]


def _curves(cases: Sequence[CaseComparison]) -> list[Figure]:
    worst = sorted(cases, key=largest_error, reverse=True)[:MOST_CASES]
    drawn = [case for case in cases if case in worst]
    known = "the truth where it is known, " if any(case.truth is not None for case in drawn) else ""
    caption = f"Torch, the circuit, {known}and the circuit's error below"
    if len(drawn) < len(cases):
        caption += f"; of {len(cases)} cases the {len(drawn)} with the largest errors"
    n_states = len(cases[0].errors)
    states = _worst_states(cases, MOST_STATES)
    if len(states) < n_states:
        caption += f"; of {n_states} states the {len(states)} with the largest errors"
    figures = []
    for first in range(0, len(drawn), PER_FIGURE):
        part = drawn[first : first + PER_FIGURE]
        curves = {case.run.case: (case.times, case.curves | {"inputs": _inputs(case)}) for case in part}
        figures.append(Figure.drawn(state_curves(curves, states, WIDTH), f"{caption}."))
    return figures


def _inside(case: CaseComparison) -> list[Figure]:
    run, compiled = case.run, case.run.compiled
    problem, manifest = compiled.cases[run.case], compiled.manifest
    figures, expected = [], hidden_volts(compiled, problem)
    words = f"case {run.case}, the one with the largest error" if len(compiled.cases) > 1 else f"case {run.case}"
    if expected:
        times = problem.times * manifest.scales.time
        until = readable_span(expected, times)
        part = f"; the first {quantity(until, 's', digits=2)}" if until < times[-1] else ""
        few = f"first {MOST_LAYERS} hidden layers" if len(expected) > MOST_LAYERS else "hidden layers"
        figures.append(Figure.drawn(
            neurons(run.waveforms, expected, times, manifest.start, until),
            f"The {MOST_NEURONS} most active neurons of the {few}: torch (line) and circuit (dashes); {words}{part}."))
    states = _worst_states([case], MOST_INTEGRATORS)
    of = f" of states {', '.join(map(str, states))}" if len(case.errors) > 1 else ""
    figures.append(Figure.drawn(pre_charge(run.waveforms, manifest.start, states),
                                f"Pre-charge and integration{of}; {words}."))
    return figures


def _worst_states(cases: Sequence[CaseComparison], most: int) -> list[int]:
    """In their own order."""
    errors = [[error.max_error or 0.0 for error in case.errors] for case in cases]
    return sorted(np.argsort(-np.max(errors, axis=0), kind="stable")[:most].tolist())


def _inputs(case: CaseComparison) -> np.ndarray:
    return case.run.compiled.cases[case.run.case].inputs(case.times)
