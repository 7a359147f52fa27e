"""`cosim second-opinion`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.comparison.second_opinion import SECOND_OPINION_NAME, check_agreement, second_opinion, table
from cosim.console import Console
from cosim.folder.manifest import read_manifest
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine


def run(folder: Path, *, out: Path | None, workers: int, timeout: float, force: bool, quiet: bool,
        docs: Path | None = None) -> None:
    """Simulate on both, print the deviations; an error when the engines disagree."""
    require_engine()
    manifest = read_manifest(folder)
    out = out or Path("runs") / folder.resolve().name
    console = Console(quiet=quiet)
    with console.bars() as bars:
        opinion = second_opinion(manifest, folder, out, workers=workers, timeout=timeout, force=force, progress=bars)
    Console().table(table(opinion), f"{manifest.subject}: {opinion['engines'][1]} against {opinion['engines'][0]}, model units")
    print(out / SECOND_OPINION_NAME)
    check_agreement(opinion)
    write_docs(docs, f"Second opinion: {manifest.subject}, {manifest.fidelity} decks",
               [MarkdownTable(heading="Deviation of the two simulators", frame=table(opinion),
                              note="Full scale in model units.")],
               engines=opinion["engines"])
