"""`cosim lorenz96`."""

from __future__ import annotations

import json
from pathlib import Path

from cosim.cli.commands.doctor import require_engine
from cosim.cli.results_file import write_docs
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.store.files import content_key, is_text_current, write_json, write_text_key
from cosim.store.sources import source_key
from cosim.studies.lorenz96.experiment import Study, lorenz96_options
from cosim.studies.lorenz96.metrics import all_metrics, compare_twin
from cosim.studies.lorenz96.pipeline import compile_twins, ensure_twins, simulate_twins, trim
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.table import growth_table, lag_table, table


def run(out: Path, *, seeds: int, time_scale: float, workers: int, force: bool, quiet: bool, docs: Path | None = None) -> None:
    """The published study: train, compile, trim, simulate, compare, report; print the table and the report's path."""
    require_engine()
    study = Study(seeds=seeds, options=lorenz96_options(time_scale))
    metrics = run_study(study, out, workers=workers, force=force, quiet=quiet)
    write_docs(docs, f"Lorenz96 twin, macro decks, nominal parts, {time_scale:g} s per time unit", [
        MarkdownTable(heading="L1 of every run", frame=table(metrics), note="Model units; a baseline has no circuit."),
        MarkdownTable(heading="Error by quarter of the run", frame=growth_table(metrics),
                      note="L1 in model units; interpolation of each forcing's reference seed."),
        MarkdownTable(heading="Lag of the loop before the trim", frame=lag_table(metrics))])


def run_study(study: Study, out: Path, *, workers: int, force: bool = False, quiet: bool = False) -> dict:
    """Any study, end to end; returns the content of metrics.json."""
    console = Console(quiet=quiet)
    results = Lorenz96Results(root=out)
    twins = ensure_twins(study, console)
    lags = trim(study, results, twins, console, workers=workers, force=force)
    manifests = compile_twins(study, results, twins, lags, console)
    simulate_twins(results, twins, console, workers=workers, force=force)
    rows = []
    for twin in twins:
        console.say(f"comparing {twin.name}")
        rows += compare_twin(study, results, twin, manifests[twin.name])
    metrics = all_metrics(study, rows, lags)
    write_json(results.metrics, metrics)
    key = content_key([json.dumps(metrics), *(manifest.text for manifest in manifests.values()),
                       source_key("cosim.studies.lorenz96.report")])
    if force or not is_text_current(results.report, key):
        from cosim.studies.lorenz96.report import write_report

        console.say("drawing the report")
        write_report(study, results, twins, manifests, metrics)
        write_text_key(results.report, key)
    else:
        console.say("report is current")
    Console().table(table(metrics), "Lorenz96 twin: L1 in model units, macro decks, nominal parts, every wire")
    print(f"report: {results.report}")
    return metrics
