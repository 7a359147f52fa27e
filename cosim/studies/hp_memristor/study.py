"""The HP memristor twin end to end: two drives, the truth, a ResNet baseline and a second opinion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import SimulationError
from circuits.vacask.run import find_vacask
from cosim.comparison.second_opinion import SECOND_OPINION_NAME, second_opinion
from cosim.compiler.options import Options
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork, load
from cosim.store.files import read_frame, write_json
from cosim.store.sources import source_key
from cosim.studies.base.board import StudyBoard, ensure_compiled
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.checkpoints import ensure_checkpoints
from cosim.studies.hp_memristor.experiment import hp_experiment
from cosim.studies.hp_memristor.results import HPResults, waveforms_name
from cosim.studies.hp_memristor.rows import case_rows
from training.checkpoint import load as load_checkpoint
from training.experiments.hp_memristor import checkpoint_paths
from training.systems.hp_memristor import DRIVES

DRAWING = "cosim.studies.hp_memristor.report"  # imported only when something is drawn


@dataclass(frozen=True, kw_only=True)
class HPFindings:
    """What the study found."""

    rows: list[dict]  # of metrics.json, one per case
    opinions: dict[str, dict]  # drive -> what :func:`cosim.comparison.second_opinion.second_opinion` gives


def run_study(pipeline: Pipeline, *, fidelity: str = "flat", with_second_opinion: bool = True) -> HPFindings:
    """Train what is missing, compile, simulate, cross-check, compare, report.

    Args:
        pipeline: its results are :class:`cosim.studies.hp_memristor.results.HPResults`.
    """
    ensure_checkpoints(pipeline.console)
    compiled = pipeline.compile(hp_board(drive, Options(fidelity=fidelity)) for drive in DRIVES)
    pipeline.simulate(compiled, [(drive, case) for drive, network in compiled.items() for case in network.cases])
    return _finish(pipeline, compiled, _cross_check(pipeline) if with_second_opinion else {})


def report_again(pipeline: Pipeline, page: Path) -> None:
    """Compare and draw from stored node voltages."""
    results: HPResults = pipeline.results
    stored = {drive: results.second_opinion(drive) / SECOND_OPINION_NAME for drive in DRIVES}
    opinions = {drive: json.loads(path.read_text()) for drive, path in stored.items() if path.is_file()}
    _finish(pipeline, {drive: load(results.decks(drive)) for drive in DRIVES}, opinions, page)


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
        compiled = ensure_compiled(hp_board(drive, Options(fidelity="macro")), folder / "decks", console)
        console.say(f"second opinion, {drive} drive")
        with console.bars() as bars:
            opinions[drive] = second_opinion(compiled.manifest, compiled.folder, folder, workers=pipeline.workers,
                                             timeout=pipeline.timeout, force=pipeline.force, progress=bars)
    return opinions


def _finish(pipeline: Pipeline, compiled: Mapping[str, CompiledNetwork], opinions: dict[str, dict],
            page: Path | None = None) -> HPFindings:
    results: HPResults = pipeline.results
    rows = [row for drive, network in compiled.items() for case in network.cases
            for row in _compare(pipeline, drive, case, network)]
    write_json(results.metrics, {"cases": rows, "second_opinion": opinions})

    def draw() -> None:
        from cosim.studies.hp_memristor.report import write_report

        write_report(results, compiled, rows, opinions, page or results.report)

    pipeline.report(page or results.report, [json.dumps(rows), json.dumps(opinions), source_key(DRAWING),
                                             *(network.manifest.text for network in compiled.values())], draw)
    return HPFindings(rows=rows, opinions=opinions)


def _compare(pipeline: Pipeline, drive: str, stimulus: str, compiled: CompiledNetwork) -> list[dict]:
    vectors = read_frame(pipeline.results.vectors(drive, stimulus))
    inputs = [vectors.attrs["key"], *(path.read_bytes() for path in checkpoint_paths(drive))]
    return pipeline.compare(waveforms_name(drive, stimulus), inputs, case_rows.__module__,
                            lambda: case_rows(drive, stimulus, compiled, vectors))
