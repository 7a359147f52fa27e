"""`cosim simulate`."""

from __future__ import annotations

from pathlib import Path

from cosim.commands.doctor import require_engine
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.simulation import Run, failed_measures_of, measures_of, simulate


def default_folder(decks: Path) -> Path:
    """Where the waveforms of a folder of decks go when nothing else is said."""
    return Path("runs") / decks.resolve().name / "vectors"


def decks_of(target: Path) -> list[Path]:
    """The deck itself, or the decks of a folder: those its manifest names, or every .cir."""
    if target.is_file():
        return [target]
    if not target.is_dir():
        raise ResultsError(f"{target} does not exist; name a deck (.cir) or a folder of decks")
    from cosim.manifest import NAME, read_manifest  # loads torch, which takes seconds; a deck of one's own needs none of it

    if (target / NAME).is_file():
        return [target / f"{name}.cir" for name in read_manifest(target).cases]
    decks = sorted(target.glob("*.cir"))
    if not decks:
        raise ResultsError(f"{target} holds no .cir deck")
    return decks


def run(target: Path, *, out: Path | None, workers: int, timeout: float, force: bool, quiet: bool) -> None:
    """Simulate, store waveforms, print measures."""
    require_engine()
    decks = decks_of(target)
    folder = out or default_folder(decks[0].parent)
    runs = [Run(deck=deck, vectors=folder / f"{deck.stem}.parquet", label=deck.stem) for deck in decks]
    console = Console(quiet=quiet)
    with console.bars() as bars:
        done = simulate(runs, workers=workers, timeout=timeout, force=force, progress=bars)
    for one in runs:
        state = "" if one in done else " (done before)"
        print(f"{one.vectors}{state}")
        failed = failed_measures_of(one.vectors)
        for name, value in measures_of(one.vectors).items():
            print(f"  {name} = failed: {failed[name]}" if name in failed else f"  {name} = {value:.6g}")
