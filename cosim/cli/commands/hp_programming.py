"""`cosim hp-programming`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.console import Console
from cosim.errors import CosimError
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.hp_memristor.checkpoints import ensure_checkpoints
from cosim.studies.programming.study import FIDELITIES, PUBLISHED, behavioural_study, study, summarise, write_study
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths
from training.systems.hp_memristor import DRIVES


def run(out: Path, *, seeds: int, drive: str, fidelity: str, workers: int, quiet: bool,
        docs: Path | None = None) -> None:
    """Simulate the boards, print and store median and worst."""
    if drive not in DRIVES:
        raise CosimError(f"no drive named {drive!r}; choose {' or '.join(DRIVES)}")
    if fidelity not in FIDELITIES:
        raise CosimError(f"fidelity {fidelity!r}: choose {', '.join(FIDELITIES)}")
    if fidelity != "behavioural":
        require_engine()
    console = Console(quiet=quiet)
    ensure_checkpoints(console)
    model = load(checkpoint_paths(drive)[0]).net
    if fidelity == "behavioural":
        rows = behavioural_study(drive, model, seeds)
    else:
        rows = study(drive, model, seeds, out / "programming", console, workers, fidelity)
    summary = summarise(rows)
    path = out / f"programming_{drive}.json"
    write_study(path, drive, fidelity, rows, summary)
    text = summary.map(lambda cell: f"{cell:.4g}" if isinstance(cell, float) else cell)
    Console().table(text, f"total error of {seeds} programmed boards, 64 levels, 2.2 % mean relative error ({drive} drive, "
                    f"{fidelity}); the published board: MRE {PUBLISHED['mre']}, DTW {PUBLISHED['dtw']}")
    print(f"rows: {path}")
    write_docs(docs, f"HP memristor twin, programmed boards, {drive} drive, {fidelity}",
               [MarkdownTable(heading=f"Total error of {seeds} programmed boards", frame=text,
                              note="64 levels, mean relative programming error 2.2 %; DTW in model units.")],
               engines=() if fidelity == "behavioural" else None)
