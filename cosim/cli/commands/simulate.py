"""`cosim simulate`."""

from __future__ import annotations

from pathlib import Path

from cosim.console import Console
from cosim.errors import CosimError, ResultsError
from cosim.folder.deck_files import decks_of
from cosim.simulation.decks import Run, default_folder, failed_measures_of, measures_of, simulate
from cosim.simulation.engine import require_engine


def run(target: Path, *, out: Path | None, fidelity: str | None, workers: int, timeout: float, force: bool,
        quiet: bool) -> None:
    """Simulate, store waveforms, print measures."""
    if fidelity not in (None, "behavioural"):
        raise CosimError(f"fidelity {fidelity!r}: simulate takes behavioural, or runs the decks as they are; flat or macro is "
                         "chosen with `cosim compile --fidelity`")
    if fidelity is None:
        require_engine()
    elif not target.is_dir():
        raise ResultsError(f"{target} is not a folder; the behavioural model is made from a folder of `cosim compile`")
    decks = decks_of(target)
    folder = out or default_folder(decks[0].parent)
    runs = [Run(deck=deck, vectors=folder / f"{deck.stem}.parquet", label=deck.stem) for deck in decks]
    console = Console(quiet=quiet)
    with console.bars() as bars:
        if fidelity is None:
            done = simulate(runs, workers=workers, timeout=timeout, force=force, progress=bars)
        else:
            from cosim.behavioural.simulation import simulate_behavioural  # loads torch

            done = simulate_behavioural(target, runs, force=force, progress=bars)
    for one in runs:
        state = "" if one in done else " (done before)"
        print(f"{one.vectors}{state}")
        failed = failed_measures_of(one.vectors)
        for name, value in measures_of(one.vectors).items():
            print(f"  {name} = failed: {failed[name]}" if name in failed else f"  {name} = {value:.6g}")
