"""`cosim hp-memristor`."""

from __future__ import annotations

import json
from pathlib import Path

from cosim.cli.commands.doctor import require_engine
from cosim.cli.results_file import write_docs
from cosim.comparison.second_opinion import check_agreement, table
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.store.files import content_key, is_text_current, write_text_key
from cosim.store.sources import source_key
from cosim.studies.hp_memristor.pipeline import (
    HPResults,
    compare_drives,
    compile_drives,
    cross_check,
    ensure_checkpoints,
    simulate_drives,
    summary,
)


def run(out: Path, *, fidelity: str, workers: int, force: bool, with_second_opinion: bool, quiet: bool,
        docs: Path | None = None) -> None:
    """Train, compile, simulate, compare, report; print the table and the report's path."""
    console = Console(quiet=quiet)
    require_engine()
    results = HPResults(root=out)
    ensure_checkpoints(console)
    manifests = compile_drives(results, console, fidelity)
    simulate_drives(results, manifests, console, workers=workers, force=force)
    opinions = cross_check(results, console, workers=workers, force=force) if with_second_opinion else {}
    rows = compare_drives(results, manifests, opinions)
    key = content_key([json.dumps(rows), json.dumps(opinions), *(manifest.text for manifest in manifests.values()),
                       source_key("cosim.studies.hp_memristor.report")])
    if force or not is_text_current(results.report, key):
        from cosim.studies.hp_memristor.report import write_report

        console.say("drawing the report")
        write_report(results, manifests, rows, opinions)
        write_text_key(results.report, key)
    else:
        console.say("report is current")
    Console().table(summary(rows, results), f"HP memristor twin: {fidelity} decks, nominal parts, every wire")
    for drive, told in opinions.items():
        Console().table(table(told), f"second opinion, {drive} drive: {told['engines'][1]} against {told['engines'][0]}")
    print(f"report: {results.report}")
    for told in opinions.values():
        check_agreement(told)
    cross_checks = [MarkdownTable(heading=f"Second opinion, {drive} drive", frame=table(told),
                                  note=f"Arrays reduced; {told['engines'][1]} against {told['engines'][0]}.")
                    for drive, told in opinions.items()]
    write_docs(docs, f"HP memristor twin, {fidelity} decks, nominal parts",
               [MarkdownTable(heading="Errors told apart", frame=summary(rows, results)), *cross_checks])
