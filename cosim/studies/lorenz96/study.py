"""The Lorenz96 study end to end: a trim run before the boards, twins of several seeds, baselines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork, load
from cosim.store.files import read_frame, write_json
from cosim.store.sources import source_key
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.lorenz96.experiment import PHASES, Lorenz96Setup, Twin, lorenz96_options
from cosim.studies.lorenz96.metrics import all_metrics, twin_rows
from cosim.studies.lorenz96.twins import compile_twins, ensure_twins, measure_lags, stored_lags, stored_twins
from training.experiments.lorenz96 import checkpoint_path

DRAWING = "cosim.studies.lorenz96.report"  # imported only when something is drawn
TIMEOUT = 3600.0  # s per deck


def run_study(setup: Lorenz96Setup, pipeline: Pipeline) -> dict:
    """Train what is missing, trim, compile, simulate, compare, report; returns the content of metrics.json.

    Args:
        pipeline: its results are :class:`cosim.studies.lorenz96.results.Lorenz96Results`.
    """
    twins = ensure_twins(setup, pipeline.console)
    lags = measure_lags(setup, pipeline, twins)
    compiled = compile_twins(setup, pipeline, twins, lags)
    # The long ones first, so that no worker is left with one at the end.
    pipeline.simulate(compiled, [(twin.name, phase) for phase in PHASES for twin in twins])
    return finish(setup, pipeline, twins, compiled, lags, pipeline.results.report)


def report_again(pipeline: Pipeline, page: Path) -> None:
    """Compare and draw what lies in a results folder of the published study, of any number of seeds.

    Raises:
        ResultsError: a result is missing, or the boards are not of the published study.
    """
    results = pipeline.results
    twins = stored_twins(Lorenz96Setup(), results)
    compiled = {twin.name: load(results.decks(twin.name)) for twin in twins}
    if not compiled:
        raise ResultsError(f"{results.decks('')} holds no board of a twin; run `make lorenz96` to its end")
    setup = Lorenz96Setup(options=lorenz96_options(next(iter(compiled.values())).manifest.scales.time))
    for twin in twins:
        board, wanted = compiled[twin.name], {phase: setup.case(twin.system, phase) for phase in PHASES}
        if board.cases != wanted:
            raise ResultsError(f"{board.folder} has the cases {board.cases}, those of the published study are {wanted}; report "
                               "a study of your own with cosim.studies.lorenz96.study.finish")
    finish(setup, pipeline, twins, compiled, stored_lags(results, twins), page)


def finish(setup: Lorenz96Setup, pipeline: Pipeline, twins: Sequence[Twin], compiled: Mapping[str, CompiledNetwork],
           lags: dict[str, float], page: Path) -> dict:
    """Compare and report what was simulated; returns the content of metrics.json."""
    rows = [row for twin in twins for row in _compare(setup, pipeline, twin, compiled[twin.name])]
    metrics = all_metrics(setup, rows, lags)
    write_json(pipeline.results.metrics, metrics)

    def draw() -> None:
        from cosim.studies.lorenz96.report import write_report

        write_report(setup, pipeline.results, twins, compiled, metrics, page)

    pipeline.report(page, [json.dumps(metrics), source_key(DRAWING),
                           *(network.manifest.text for network in compiled.values())], draw)
    return metrics


def _compare(setup: Lorenz96Setup, pipeline: Pipeline, twin: Twin, compiled: CompiledNetwork) -> list[dict]:
    vectors = {phase: read_frame(pipeline.results.vectors(twin.name, phase)) for phase in PHASES}
    checkpoint = checkpoint_path(twin.system.name, twin.seed, setup.checkpoints)
    inputs = [*(vectors[phase].attrs["key"] for phase in PHASES), checkpoint.read_bytes()]
    return pipeline.compare(twin.waveforms_name, inputs, twin_rows.__module__,
                            lambda: twin_rows(setup, twin, compiled, vectors))
