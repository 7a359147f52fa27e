"""`cosim convergence`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cosim.cli.results_file import write_docs
from cosim.comparison.solver_share import CANDIDATES, LIMIT, Convergence, convergence
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest, read_manifest
from cosim.problem.case import Case
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine


def run(decks: Sequence[Path], *, out: Path | None, factor: float, workers: int, timeout: float, quiet: bool,
        docs: Path | None = None) -> None:
    """Print the table and the solver's share of every deck; an error when one is too large."""
    require_engine()
    cases = {deck: _case_of(deck) for deck in decks}
    if len({case.name for _, case in cases.values()}) < len(decks):
        raise ResultsError(f"{', '.join(map(str, decks))}: two of these decks have one name, by which their results would be "
                           "confused; run the command once for each")
    console = Console(quiet=quiet)
    measured: dict[Path, Convergence] = {}
    for deck, (manifest, case) in cases.items():
        folder = (out or Path("runs") / deck.resolve().parent.name / "convergence") / deck.stem
        with console.bars() as bars:
            measured[deck] = convergence(manifest, case, deck.parent, folder, factor=factor, workers=workers, timeout=timeout,
                                         progress=bars)
        _print(measured[deck], f"{manifest.subject}, {case.name}: solver settings against the tightest, factor {factor:g}")
    if over := {deck: result.share for deck, result in measured.items() if result.share > LIMIT}:
        shares = ", ".join(f"{deck}: {share:.1%}" for deck, share in over.items())
        raise ResultsError(f"the solver's error is more than {LIMIT:.0%} of the circuit error ({shares}); tighten the setting "
                           "that moves the waveform most in the table above")
    steps = {f"{manifest.max_step:g} model s" if manifest.max_step else "1/2000 of the run" for manifest, _ in cases.values()}
    print(_choice(list(measured.values()), " or ".join(sorted(steps))))
    subject = next(iter(cases.values()))[0].subject
    write_docs(docs, f"The solver's share: {subject}", [MarkdownTable(
        heading="Largest deviation from the tightest settings", frame=_summary(list(measured.values())),
        note=f"Parts of full scale; tolerances and largest step are tightened by {factor:g}.")])


def _case_of(deck: Path) -> tuple[Manifest, Case]:
    manifest = read_manifest(deck.parent)
    case = manifest.cases.get(deck.stem)
    if case is None or not deck.is_file():
        raise ResultsError(f"{deck} is not a deck of {deck.parent}; its decks are "
                           f"{', '.join(f'{name}.cir' for name in manifest.cases)}")
    return manifest, case


def _print(result: Convergence, title: str) -> None:
    rows = [{"what": row.name, "points": row.points, "max / full scale": _figure(row.max), "rms / full scale": _figure(row.rms)}
            for row in result.rows]
    rows.append({"what": "circuit error, as compiled", "points": "", "max / full scale": _figure(result.circuit_max),
                 "rms / full scale": _figure(result.circuit_rms)})
    Console().table(pd.DataFrame(rows), title)
    print(f"Gear against trapezoidal, both tightest: {result.methods_apart:.1e} of full scale")
    print(f"solver's share of the circuit error as compiled: {result.share:.1%}, limit {LIMIT:.0%}")


def _choice(measured: Sequence[Convergence], largest: str) -> str:
    """Which candidate takes the fewest points and is accurate enough on every deck.

    Args:
        largest: the decks' largest step, in words.
    """
    points = {name: sum(row.points for result in measured for row in result.rows if row.name == name)
              for name in CANDIDATES if all(name in result.allowed for result in measured)}
    if not points:
        return f"none of {'; '.join(CANDIDATES)} stays within {LIMIT:.0%} of the circuit error on every deck"
    best = min(points, key=points.get)
    solver, longer = CANDIDATES[best]
    step = "" if longer == 1 else f" and {longer} times the largest step, which is {largest}"
    told = "; ".join(f"{name} ({count} points)" for name, count in points.items())
    return f"within {LIMIT:.0%} of the circuit error on every deck: {told}\nthe fewest points: --solver {solver}{step}"


def _summary(measured: Sequence[Convergence]) -> pd.DataFrame:
    """One row per setting, one column per deck."""
    cases = [result.case for result in measured]
    rows = [{"what": settings[0].name, **{case: _figure(row.max) for case, row in zip(cases, settings, strict=True)}}
            for settings in zip(*(result.rows for result in measured), strict=True)]
    return pd.DataFrame([
        *rows,
        *({"what": f"points, {row.name}", **{result.case: str(result.rows[place].points) for result in measured}}
          for place, row in enumerate(measured[0].rows) if row.name in CANDIDATES),
        {"what": "Gear against trapezoidal, both tightest",
         **{result.case: _figure(result.methods_apart) for result in measured}},
        {"what": "circuit error, as compiled", **{result.case: _figure(result.circuit_max) for result in measured}},
        {"what": "solver's share as compiled", **{result.case: f"{result.share:.1%}" for result in measured}},
    ])


def _figure(value: float | None) -> str:
    return "reference" if value is None else f"{value:.1e}"
