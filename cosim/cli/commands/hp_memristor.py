"""`cosim hp-memristor`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.comparison.second_opinion import check_agreement
from cosim.comparison.second_opinion import table as opinion_table
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.results import HPResults
from cosim.studies.hp_memristor.study import WHOLE, run_study
from cosim.studies.hp_memristor.table import table


def run(out: Path, *, fidelity: str, workers: int, force: bool, with_second_opinion: bool, quiet: bool,
        docs: Path | None = None) -> None:
    """Train, compile, simulate, compare, report; print the table and the report's path."""
    require_engine()
    results = HPResults(root=out)
    pipeline = Pipeline(results=results, console=Console(quiet=quiet), workers=workers, force=force)
    findings = run_study(pipeline, fidelity=fidelity, with_second_opinion=with_second_opinion)
    errors = table(findings.rows, results)
    Console().table(errors, f"HP memristor twin: {fidelity} decks, nominal parts")
    for drive, opinion in findings.opinions.items():
        engine, other = opinion["engines"]
        Console().table(opinion_table(opinion), f"second opinion, {drive} drive: {other} against {engine}")
    if findings.rows_off is not None:
        print(f"rows that are off are left out, which moves the state by {findings.rows_off:.1e} of full scale at most "
              f"({' drive, '.join(WHOLE)})")
    print(f"report: {results.report}")
    for opinion in findings.opinions.values():
        check_agreement(opinion)
    cross_checks = [MarkdownTable(heading=f"Second opinion, {drive} drive", frame=opinion_table(opinion),
                                  note=f"Arrays reduced; {opinion['engines'][1]} against {opinion['engines'][0]}.")
                    for drive, opinion in findings.opinions.items()]
    note = "" if findings.rows_off is None else (
        "The arrays' rows that are off are left out of the decks. With every cell in it the deck of the "
        f"{' drive, '.join(WHOLE)}, gives the same state to {findings.rows_off:.1e} of full scale.")
    write_docs(docs, f"HP memristor twin, {fidelity} decks, nominal parts",
               [MarkdownTable(heading="Errors told apart", frame=errors, note=note), *cross_checks])
