"""`cosim lorenz96`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.lorenz96.experiment import Lorenz96Setup, lorenz96_options
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.study import TIMEOUT, run_study
from cosim.studies.lorenz96.table import growth_table, lag_table, table


def run(out: Path, *, seeds: int, time_scale: float, workers: int, force: bool, quiet: bool, docs: Path | None = None) -> None:
    """The published study: train, compile, trim, simulate, compare, report; print the table and the report's path."""
    require_engine()
    setup = Lorenz96Setup(seeds=seeds, options=lorenz96_options(time_scale))
    pipeline = Pipeline(results=Lorenz96Results(root=out), console=Console(quiet=quiet), workers=workers, timeout=TIMEOUT,
                        force=force)
    metrics = run_study(setup, pipeline)
    Console().table(table(metrics), "Lorenz96 twin: L1 in model units, macro decks, nominal parts, every wire")
    print(f"report: {pipeline.results.report}")
    write_docs(docs, f"Lorenz96 twin, macro decks, nominal parts, {time_scale:g} s per time unit", [
        MarkdownTable(heading="L1 of every run", frame=table(metrics), note="Model units; a baseline has no circuit."),
        MarkdownTable(heading="Error by quarter of the run", frame=growth_table(metrics),
                      note="L1 in model units; interpolation of each forcing's reference seed."),
        MarkdownTable(heading="Lag of the loop before the trim", frame=lag_table(metrics))])
