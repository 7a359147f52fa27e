"""`cosim report`."""

from __future__ import annotations

from pathlib import Path

from cosim.console import Console
from cosim.errors import ResultsError
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.results import HPResults
from cosim.studies.hp_memristor.study import report_again


def run(folder: Path) -> None:
    """Compare and draw again from the stored node voltages."""
    if not folder.is_dir():
        raise ResultsError(f"{folder} does not exist; run `make hp-memristor` first")
    pipeline = Pipeline(results=HPResults(root=folder), console=Console())
    report_again(pipeline, pipeline.results.report)
    print(f"report: {pipeline.results.report}")
