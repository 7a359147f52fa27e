"""`cosim simulate`."""

from __future__ import annotations

from pathlib import Path

from circuits.errors import printable
from cosim.console import Console
from cosim.errors import CosimError, ResultsError
from cosim.folder.deck_files import decks_of
from cosim.folder.manifest import MANIFEST_NAME
from cosim.simulation.decks import default_folder, simulate
from cosim.simulation.engine import require_engine
from cosim.simulation.run import Run, result_name
from cosim.simulation.tables import rows, single_values
from cosim.store.files import read_frame, write_csv

LINES = 30  # of single values that are printed for a plot


def run(target: Path, *, out: Path | None, fidelity: str | None, workers: int, timeout: float, force: bool,
        quiet: bool, plot: str | None = None, csv: bool = False, raw: bool = False) -> None:
    """Simulate, store waveforms, print measures.

    Raises:
        CosimError: a measure failed, after everything else was printed.
    """
    if fidelity not in (None, "behavioural"):
        raise CosimError(f"fidelity {fidelity!r}: simulate takes behavioural, or runs the decks as they are; flat or macro is "
                         "chosen with `cosim compile --fidelity`")
    if fidelity is None:
        require_engine()
    elif not target.is_dir():
        raise ResultsError(f"{target} is not a folder; the behavioural model is made from a folder of `cosim compile`")
    elif plot or raw:
        raise CosimError("--plot and --raw belong to ngspice's own results; leave them out for the behavioural model")
    decks = decks_of(target)
    folder = out or default_folder(decks[0].parent)
    names = {deck: result_name(deck) for deck in decks}
    runs = [Run(deck=deck, vectors=folder / f"{name}.parquet", label=printable(name, breaks=False), plot=plot)
            for deck, name in names.items()]
    console = Console(quiet=quiet)
    with console.bars() as bars:
        if fidelity is None:
            done = simulate(runs, workers=workers, timeout=timeout, force=force, keep_raw=raw, progress=bars)
        else:
            from cosim.behavioural.simulation import simulate_behavioural  # loads torch

            done = simulate_behavioural(target, runs, force=force, progress=bars)
    failed = []
    for deck_run in runs:
        failed += _print_result(deck_run, was_run=deck_run in done, csv=csv, raw=raw)
    if failed:
        raise CosimError(f"{len(failed)} measure{'s' if len(failed) > 1 else ''} failed: {'; '.join(failed)}; check the "
                         "conditions against the waveforms, which are kept")


def _print_result(run: Run, *, was_run: bool, csv: bool, raw: bool) -> list[str]:
    """Print where a result is and what it says; its failed measures."""
    frame = read_frame(run.vectors)
    attrs = frame.attrs
    say(f"{run.vectors}{'' if was_run else ' (done before)'}")
    names = attrs.get("plots", [])
    tables = {attrs.get("plot", ""): frame}
    if len(names) > 1:
        tables = {name: read_frame(run.plots / f"{name}.parquet") for name in sorted(names)}
        say(f"  {len(names)} plots in {run.plots}: {', '.join(tables)}; {run.vectors.name} holds {attrs['plot']}")
    if csv:
        say(f"  {write_csv(run.vectors.with_suffix('.csv'), frame)}")
        for name in names if len(names) > 1 else ():
            say(f"  {write_csv(run.plots / f'{name}.csv', tables[name])}")
    if raw:
        say(f"  {run.raw}")
    for name, table in tables.items():
        if len(table) == 1:
            lines = single_values(table, table.attrs.get("units", {}))
            for line in lines[:LINES]:
                say(f"  {name}: {line}")
            if len(lines) > LINES:
                say(f"  {name}: and {len(lines) - LINES} more values in the file")
        if name.startswith("four"):
            for line in rows(table, table.attrs.get("units", {})):
                say(f"  {name}: {line}")
    for vector, share in attrs.get("distortion", {}).items():
        say(f"  {vector}: total harmonic distortion {share:.4%}")
    for note in attrs.get("notes", []):
        say(f"  note: {note}")
    warnings = attrs.get("warnings", [])
    if warnings:
        say(f"  ngspice warned {len(warnings)} time{'s' if len(warnings) > 1 else ''}:")
        for warning in warnings:
            say(f"    {warning}")
    measures, reasons = attrs.get("measures", {}), attrs.get("failed_measures", {})
    unit = " V on the board" if (run.deck.parent / MANIFEST_NAME).is_file() else ""  # a stranger's deck measures anything
    for name, value in measures.items():
        say(f"  {name} = failed: {reasons[name]}" if name in reasons else f"  {name} = {value:.6g}{unit}")
    return [f"{run.deck}: {name} ({reason})" for name, reason in reasons.items()]


def say(text: str) -> None:
    """A line of the result, nothing in it that a terminal would obey."""
    print(printable(text, breaks=False))
