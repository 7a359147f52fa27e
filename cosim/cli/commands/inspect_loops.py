"""`cosim inspect --loops`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.comparison.clamp_hits import hit_lines
from cosim.comparison.peaks import reference_peaks, waveform_peaks
from cosim.comparison.stability import LEAST, kind_table, loop_table, measure_board, require_margins
from cosim.comparison.stored_runs import find_run
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.compiled import load
from cosim.folder.manifest import Manifest, read_manifest
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine


def run(folder: Path, *, everything: bool, waveforms: Path | None, stray: float, workers: int,
        docs: Path | None = None) -> None:
    """Print the loops of a compiled board; a margin under 45 degrees is an error."""
    if not folder.is_dir():
        raise ResultsError(f"{folder} is not a folder; --loops looks at a board, a folder made by `cosim compile`")
    require_engine()
    manifest = read_manifest(folder)
    console = Console(width=190)
    peaks = _simulated(manifest, waveforms, console) or reference_peaks(manifest)
    stability = measure_board(manifest, peaks, stray=stray, workers=workers)
    points = len(stability.findings)
    loops, kinds = loop_table(stability, everything=everything), kind_table(stability)
    console.table(loops, f"{manifest.subject}: loops" + ("" if everything else
                  f", the worst of each layer and kind (of {points} operating points; --all shows every one)"))
    console.table(kinds, "kinds of loop")
    worst = stability.worst()
    console.say(f"worst: {worst.loop.name} ({worst.state}), {worst.measured.gain.margin:.1f}°, at least {LEAST:g}° are wanted; "
                f"integrators' time constant {stability.time_constant:.4g} s")
    require_margins(stability)
    write_docs(docs, f"Stability: {manifest.subject}", [
        MarkdownTable(heading="Kinds of loop", frame=kinds),
        MarkdownTable(heading="Loops", frame=loops, note="" if everything else "The worst of each layer and kind.")])


def _simulated(manifest: Manifest, waveforms: Path | None, console: Console) -> dict[str, float]:
    """Peaks of the simulated cases, and a line on clamp hits; empty where nothing was simulated."""
    compiled = load(manifest.folder)
    stored = {name: run for name in manifest.cases if (run := find_run(compiled, name, waveforms))}
    missing = [name for name in manifest.cases if name not in stored]
    if waveforms is not None and missing:
        files = ", ".join(f"{case}.parquet nor {case}.raw" for case in missing)
        raise ResultsError(f"neither {files} in {waveforms}; run `cosim simulate` first, or name another folder")
    if not stored:
        console.say("signals: the torch solution, which the compiler held against the clamps; --waveforms takes simulated ones")
        return {}
    runs = {name: waves for name, (_, waves) in stored.items()}
    hits = [line for name, run in runs.items() for line in hit_lines(name, run)]
    places = dict.fromkeys(str(path.parent) for path, _ in stored.values())
    console.say(f"signals: waveforms of {', '.join(runs)} in {', '.join(places)}")
    console.say("clamp hits: " + ("\n  ".join(["", *hits]) if hits else "none"))
    return waveform_peaks(manifest, runs.values())
