"""`cosim second-opinion`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cosim.commands.doctor import require_engine
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.manifest import read_manifest
from cosim.second_opinion import NAME, second_opinion


def run(folder: Path, *, out: Path | None, workers: int, timeout: float, force: bool, quiet: bool) -> None:
    """Simulate on both, print the deviations; an error when the engines disagree."""
    require_engine()
    manifest = read_manifest(folder)
    out = out or Path("runs") / folder.resolve().name
    console = Console(quiet=quiet)
    with console.bars() as bars:
        told = second_opinion(manifest, folder, out, workers=workers, timeout=timeout, force=force, progress=bars)
    rows = [{"stimulus": row["stimulus"], "state": row["state"], "full scale": f"{row['full_scale']:.4g}",
             "max / full scale": f"{row['max']:.2e}", "rms / full scale": f"{row['rms']:.2e}"} for row in told["cases"]]
    Console().table(pd.DataFrame(rows), f"{manifest.subject}: {told['engines'][1]} against {told['engines'][0]}, model units")
    print(out / NAME)
    apart = [row for row in told["cases"] if not row["agrees"]]
    if apart:
        named = ", ".join(f"{row['stimulus']} {row['state']} by {row['max']:.2e}" for row in apart)
        raise ResultsError(f"the engines differ by more than {told['limit']:g} of full scale: {named}; tighten reltol and the "
                           "largest step of both decks to see which of them moves")
