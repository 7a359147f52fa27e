"""`cosim convergence`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cosim.comparison.solver_share import LIMIT, convergence
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.manifest import read_manifest
from cosim.simulation.engine import require_engine


def run(deck: Path, *, out: Path | None, factor: float, workers: int, timeout: float, quiet: bool) -> None:
    """Print the table and the solver's share; an error when it is too large."""
    require_engine()
    manifest = read_manifest(deck.parent)
    case = manifest.cases.get(deck.stem)
    if case is None or not deck.is_file():
        raise ResultsError(f"{deck} is not a deck of {deck.parent}; its decks are "
                           f"{', '.join(f'{name}.cir' for name in manifest.cases)}")
    out = out or Path("runs") / deck.resolve().parent.name / "convergence" / deck.stem
    console = Console(quiet=quiet)
    with console.bars() as bars:
        told = convergence(manifest, case, deck.parent, out, factor=factor, workers=workers, timeout=timeout, progress=bars)
    rows = [{"what": row.name, "points": row.points, "max / full scale": _figure(row.max), "rms / full scale": _figure(row.rms)}
            for row in told.rows]
    rows.append({"what": "circuit error, default", "points": "", "max / full scale": _figure(told.circuit_max),
                 "rms / full scale": _figure(told.circuit_rms)})
    title = f"{manifest.subject}, {case.name}: solver settings against the tightest, factor {factor:g}"
    Console().table(pd.DataFrame(rows), title)
    print(f"Gear against trapezoidal, both tightest: {told.methods_apart:.1e} of full scale")
    print(f"solver's share of the circuit error at default settings: {told.share:.1%}, limit {LIMIT:.0%}")
    if told.share > LIMIT:
        raise ResultsError(f"{deck}: the solver's error is {told.share:.1%} of the circuit error; tighten the setting that "
                           "moves the waveform most in the table above")


def _figure(value: float | None) -> str:
    return "reference" if value is None else f"{value:.1e}"
