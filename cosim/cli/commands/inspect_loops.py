"""`cosim inspect --loops`."""

from __future__ import annotations

from pathlib import Path

from cosim.cli.commands.compare import find_waveforms
from cosim.cli.commands.doctor import require_engine
from cosim.cli.commands.simulate import default_folder
from cosim.comparison.clamp_hits import hit_lines
from cosim.comparison.peaks import reference_peaks, waveform_peaks
from cosim.comparison.stability import LEAST, kind_table, loop_table, measure_board, require_margins
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest, read_manifest


def run(folder: Path, *, everything: bool, waveforms: Path | None, stray: float, workers: int) -> None:
    """Print the loops of a compiled board; a margin under 45 degrees is an error."""
    if not folder.is_dir():
        raise ResultsError(f"{folder} is not a folder; --loops looks at a board, a folder made by `cosim compile`")
    require_engine()
    manifest = read_manifest(folder)
    console = Console(width=190)
    peaks = _simulated(manifest, waveforms, console) or reference_peaks(manifest)
    stability = measure_board(manifest, peaks, stray=stray, workers=workers)
    points = len(stability.findings)
    console.table(loop_table(stability, everything=everything), f"{manifest.subject}: loops" + ("" if everything else
                  f", the worst of each layer and kind (of {points} operating points; --all shows every one)"))
    console.table(kind_table(stability), "kinds of loop")
    worst = stability.worst()
    console.say(f"worst: {worst.loop.name} ({worst.state}), {worst.measured.gain.margin:.1f}°, at least {LEAST:g}° are wanted; "
                f"integrators' time constant {stability.time_constant:.4g} s")
    require_margins(stability)


def _simulated(manifest: Manifest, waveforms: Path | None, console: Console) -> dict[str, float]:
    """Peaks of the simulated cases, and a line on clamp hits; empty where nothing was simulated."""
    source = waveforms or default_folder(manifest.folder)
    held = [name for name in manifest.cases if any((source / f"{name}.{kind}").is_file() for kind in ("parquet", "raw"))]
    if waveforms is None and not held:
        console.say("signals: the torch solution, which the compiler held against the clamps; --waveforms takes simulated ones")
        return {}
    runs = {name: find_waveforms(source, manifest, name) for name in (held if waveforms is None else manifest.cases)}
    hits = [line for name, one in runs.items() for line in hit_lines(name, one)]
    console.say(f"signals: waveforms of {', '.join(runs)} in {source}")
    console.say("clamp hits: " + ("\n  ".join(["", *hits]) if hits else "none"))
    return waveform_peaks(manifest, runs.values())
