"""The HP memristor twin end to end: two drives, the truth, a ResNet baseline and a second opinion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from circuits.errors import SimulationError
from circuits.vacask.run import find_vacask
from cosim.comparison.second_opinion import SECOND_OPINION_NAME, second_opinion
from cosim.compiler.options import Options
from cosim.errors import ResultsError
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork, load
from cosim.simulation.decks import read_vectors
from cosim.simulation.twin_states import twin_states
from cosim.store.files import read_frame, write_json
from cosim.store.sources import source_key
from cosim.studies.base.board import StudyBoard, ensure_compiled
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.checkpoints import ensure_checkpoints
from cosim.studies.hp_memristor.experiment import hp_experiment, hp_options
from cosim.studies.hp_memristor.results import HPResults, waveforms_name
from cosim.studies.hp_memristor.rows import case_rows
from training.checkpoint import load as load_checkpoint
from training.experiments.hp_memristor import checkpoint_paths
from training.systems.hp_memristor import DRIVES

# Rows whose word line is low carry picoamperes. They are left out of the flat decks but for this one, which shows it each time.
WHOLE = ("current", "sine")  # drive, case
WHOLE_NAME = "current_every_cell"
SAME = 2e-5  # of full scale, twice the solver's error
DRAWING = "cosim.studies.hp_memristor.report"  # imported only when something is drawn


@dataclass(frozen=True, kw_only=True)
class HPFindings:
    """What the study found."""

    rows: list[dict]  # of metrics.json, one per case
    rows_off: float | None = None  # parts of full scale: what leaving out the arrays' rows that are off changes, flat decks
    opinions: dict[str, dict]  # drive -> what :func:`cosim.comparison.second_opinion.second_opinion` gives


def run_study(pipeline: Pipeline, *, fidelity: str = "flat", with_second_opinion: bool = True) -> HPFindings:
    """Train what is missing, compile, simulate, cross-check, compare, report.

    Args:
        pipeline: its results are :class:`cosim.studies.hp_memristor.results.HPResults`.
    """
    ensure_checkpoints(pipeline.console)
    flat = fidelity == "flat"
    boards = [hp_board(drive, hp_options(fidelity=fidelity, all_cells=not flat)) for drive in DRIVES]
    compiled = pipeline.compile(boards)
    runs = [(drive, case) for drive, network in compiled.items() for case in network.cases]
    whole = pipeline.compile([replace(hp_board(WHOLE[0], hp_options()), name=WHOLE_NAME)]) if flat else {}
    pipeline.simulate(compiled | whole, [*((name, WHOLE[1]) for name in whole), *runs])
    if flat:
        apart = rows_off(pipeline, compiled[WHOLE[0]])
    return _finish(pipeline, compiled, _cross_check(pipeline) if with_second_opinion else {}, apart if flat else None)


def report_again(pipeline: Pipeline, page: Path) -> None:
    """Compare and draw from stored node voltages."""
    results: HPResults = pipeline.results
    stored = {drive: results.second_opinion(drive) / SECOND_OPINION_NAME for drive in DRIVES}
    opinions = {drive: json.loads(path.read_text()) for drive, path in stored.items() if path.is_file()}
    compiled = {drive: load(results.decks(drive)) for drive in DRIVES}
    whole = results.vectors(WHOLE_NAME, WHOLE[1]).is_file() and compiled[WHOLE[0]].fidelity == "flat"
    _finish(pipeline, compiled, opinions, rows_off(pipeline, compiled[WHOLE[0]]) if whole else None, page)


def rows_off(pipeline: Pipeline, compiled: CompiledNetwork) -> float:
    """How far the deck with every cell is from the one without the rows that are off, the worst sample in parts of full scale.

    Raises:
        ResultsError: further than the solver's own error allows.
    """
    case = compiled.cases[WHOLE[1]]
    every, without = (twin_states(read_vectors(pipeline.results.vectors(name, WHOLE[1])), compiled.manifest, case)
                      for name in (WHOLE_NAME, WHOLE[0]))
    apart = float(np.abs(every - without).max() / np.abs(every).max())
    if apart > SAME:
        raise ResultsError(f"{' drive, '.join(WHOLE)}: the deck with every cell is {apart:.1e} of full scale from the "
                           f"one without the rows that are off; they must agree to {SAME:g}. Both are below "
                           f"{pipeline.results.root}")
    return apart


def hp_board(drive: str, options: Options) -> StudyBoard:
    """The board of a drive."""
    checkpoint = checkpoint_paths(drive)[0]

    def experiment() -> Experiment:
        return hp_experiment(drive, load_checkpoint(checkpoint).net)

    return StudyBoard(name=drive, experiment=experiment, options=options, inputs=(drive, checkpoint.read_bytes()),
                      code=hp_experiment.__module__)


def _cross_check(pipeline: Pipeline) -> dict[str, dict]:
    """Second opinion on every drive, by drive; empty where VACASK is not installed, which is said.

    It runs the decks with reduced arrays: a flat deck takes VACASK five minutes.
    """
    console, results = pipeline.console, pipeline.results
    try:
        find_vacask()
    except SimulationError as missing:
        console.say(f"no second opinion: {missing}")
        return {}
    opinions = {}
    for drive in DRIVES:
        folder = results.second_opinion(drive)
        compiled = ensure_compiled(hp_board(drive, hp_options(fidelity="macro")), folder / "decks", console)
        console.say(f"second opinion, {drive} drive")
        with console.bars() as bars:
            opinions[drive] = second_opinion(compiled.manifest, compiled.folder, folder, workers=pipeline.workers,
                                             timeout=pipeline.timeout, force=pipeline.force, progress=bars)
    return opinions


def _finish(pipeline: Pipeline, compiled: Mapping[str, CompiledNetwork], opinions: dict[str, dict],
            rows_off: float | None = None, page: Path | None = None) -> HPFindings:
    results: HPResults = pipeline.results
    rows = [row for drive, network in compiled.items() for case in network.cases
            for row in _compare(pipeline, drive, case, network)]
    write_json(results.metrics, {"cases": rows, "second_opinion": opinions, "rows_off": rows_off})

    def draw() -> None:
        from cosim.studies.hp_memristor.report import write_report

        write_report(results, compiled, rows, opinions, page or results.report)

    pipeline.report(page or results.report, [json.dumps(rows), json.dumps(opinions), source_key(DRAWING),
                                             *(network.manifest.text for network in compiled.values())], draw)
    return HPFindings(rows=rows, opinions=opinions, rows_off=rows_off)


def _compare(pipeline: Pipeline, drive: str, stimulus: str, compiled: CompiledNetwork) -> list[dict]:
    vectors = read_frame(pipeline.results.vectors(drive, stimulus))
    inputs = [vectors.attrs["key"], *(path.read_bytes() for path in checkpoint_paths(drive))]
    return pipeline.compare(waveforms_name(drive, stimulus), inputs, case_rows.__module__,
                            lambda: case_rows(drive, stimulus, compiled, vectors))
