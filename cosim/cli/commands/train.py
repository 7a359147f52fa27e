"""`cosim train`."""

from __future__ import annotations

from pathlib import Path

from circuits.array.programming import published_programming
from cosim.compiler.weight_noise import weight_noise
from cosim.console import Console
from cosim.errors import CosimError
from training.experiments.hp_memristor import CHECKPOINTS, checkpoint_paths, train_hp_memristor
from training.systems.hp_memristor import DRIVES


def run(drive: str, *, force: bool, seed: int, out: Path | None, quiet: bool) -> None:
    """Train both networks of a drive unless they are there."""
    if drive not in DRIVES:
        raise CosimError(f"no drive named {drive!r}; choose {' or '.join(DRIVES)}")
    folder = out or CHECKPOINTS
    paths = checkpoint_paths(drive, folder)
    if all(path.is_file() for path in paths) and not force:
        print(f"already trained: {', '.join(str(p) for p in paths)}; --force trains again")
        return
    with Console(quiet=quiet).bar(f"train {drive}") as bar:
        train_hp_memristor(drive, seed=seed, folder=folder, force=force,
                           noise=weight_noise(published_programming()), progress=bar)
    print("\n".join(str(path) for path in paths))
