"""`cosim corners`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from circuits.corners.corner import CORNERS, find_corner
from cosim.cli.results_file import write_docs
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.errors import CosimError, ResultsError
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.corners.row import CLAIM, CornerRow
from cosim.studies.corners.store import write_corners
from cosim.studies.corners.study import CornerStudy
from cosim.studies.hp_memristor.checkpoints import ensure_checkpoints
from cosim.studies.hp_memristor.experiment import hp_experiment
from cosim.studies.source import read_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

OPTIONS = {"macro": Options(fidelity="macro"), "flat-trimmed": Options(all_cells=False), "flat": Options()}
DRIVE = "current"  # of the HP twin
HP_OUT = Path("runs/hp_corners")


def run(source: Path | None, *, corners: list[str], fidelity: str | None, out: Path | None, workers: int, timeout: float,
        force: bool, quiet: bool, docs: Path | None = None) -> None:
    """Print and store the table; an error when a corner is not to be believed."""
    wanted = [find_corner(name) for name in corners] or list(CORNERS.values())
    if fidelity is not None and fidelity not in OPTIONS:
        raise CosimError(f"fidelity {fidelity!r}: choose {', '.join(OPTIONS)}")
    require_engine()
    console = Console(quiet=quiet)
    if source is not None and (source.is_dir() or not source.suffix):
        if fidelity is not None:
            raise CosimError(f"{source} is compiled already; --fidelity is for a checkpoint or a Python file")
        root, decks = out or Path("runs") / source.resolve().name / "corners", source
    else:
        fidelity = fidelity or "macro"
        root = (out or (Path("runs") / source.stem / "corners" if source else HP_OUT)) / fidelity.replace("-", "_")
        decks = root / "decks"
        experiment = _experiment(source, console)
        with console.bars() as bars:
            experiment.compile(decks, OPTIONS[fidelity], bars)
    manifest = read_manifest(decks)
    rows = CornerStudy(manifest=manifest, root=root, console=console, workers=workers, timeout=timeout, force=force).run(wanted)
    dropped = write_corners(root / "corners.json", manifest, rows)
    title = f"{manifest.subject}, {manifest.fidelity} decks: twin against torch, worst of {', '.join(manifest.cases)}"
    table = pd.DataFrame([_cells(row) for row in rows])
    Console().table(table, f"{title}; max in parts of full scale")
    for row in rows:
        if row.verdict == "flagged":
            print(f"flagged: {row.corner.name} ({row.error}) is beyond {CLAIM}; cause: {row.cause}")
    print(f"rows: {root / 'corners.json'}")
    if dropped:
        print(f"no longer in it, because of other decks or another ngspice: {', '.join(dropped)}")
    if failed := [row for row in rows if row.verdict == "FAILED"]:
        raise ResultsError("corners that are not to be believed: " + "\n  ".join(
            f"{row.corner.name}, {row.trouble}" for row in failed) + f"\n  their decks and waveforms are below {root}")
    causes = pd.DataFrame([_cause_cells(row) for row in rows if row.verdict == "flagged"])
    write_docs(docs, f"Corners: {manifest.subject}, {manifest.fidelity} decks", [
        MarkdownTable(heading="Corners", frame=table, note=f"Worst of {', '.join(manifest.cases)}; max: part of full scale."),
        *([MarkdownTable(heading="Causes", frame=causes)] if len(causes) else [])])


def _experiment(source: Path | None, console: Console) -> Experiment:
    if source is not None:
        return read_experiment(source)
    ensure_checkpoints(console)
    return hp_experiment(DRIVE, load(checkpoint_paths(DRIVE)[0]).net)


def _cause_cells(row: CornerRow) -> dict[str, str]:
    left = "; ".join(f"{effect}: {error}" for effect, error in row.without.items())
    return {"condition": row.corner.name, "error": str(row.error), "what is left without": left or row.cause}


def _cells(row: CornerRow) -> dict[str, str]:
    error, bound = row.error, row.bound
    return {"condition": row.corner.name, "what": row.corner.figures,
            "MRE": f"{error.mre:.2%}" if error else "", "MRE bound": f"{bound.mre:.2%}",
            "max": f"{error.max:.2%}" if error else "", "max bound": f"{bound.max:.2%}",
            "clamp hits": str(row.hits), "verdict": row.verdict}
