"""`cosim parts`, behind `make parts`."""

from __future__ import annotations

from pathlib import Path

import typer

from circuits.benches.findings import run_benches
from cosim.cli.results_file import write_docs
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.parts.report import findings_table, key_of, page_key, shows_compiled, write_parts_page


def run(page: Path, out: Path, *, workers: int, force: bool, quiet: bool, docs: Path | None = None) -> None:
    """Measure every part, print the table, draw the page where it is not current; exit 1 on an unnamed deviation."""
    require_engine()
    console = Console(quiet=quiet, width=190)
    findings, results = run_benches(out / "decks", workers=workers)
    table = findings_table(findings)
    Console(width=190).table(table, "parts against their datasheets")
    if force or key_of(page) != page_key(compiled=shows_compiled(findings)):
        console.say("drawing the page")
        write_parts_page(page, findings, results, out / "figures")
    else:
        console.say("page is current")
    print(f"page: {page}")
    print(f"decks: {out / 'decks'}")
    outside = [finding.bench for finding in findings if finding.verdict == "outside"]
    for bench in outside:
        remedy = "its 'named' words do not stand in" if bench.named else "correct the model, or name it with the reason in"
        print(f"outside: {bench.part} {bench.property} ({bench.condition}); {remedy} the header of "
              f"circuits/parts/{bench.part}.lib")
    if outside:
        raise typer.Exit(1)
    write_docs(docs, "Parts against their datasheets", [MarkdownTable(heading="Properties", frame=table)])
