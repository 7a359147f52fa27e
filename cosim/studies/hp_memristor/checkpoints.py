"""The networks of the HP study, trained where they are missing."""

from __future__ import annotations

from circuits.array.programming import published_programming
from cosim.compiler.weight_noise import weight_noise
from cosim.console import Console
from training.experiments.hp_memristor import checkpoint_paths, train_hp_memristor
from training.systems.hp_memristor import DRIVES


def ensure_checkpoints(console: Console) -> None:
    """Train what is missing."""
    for drive in DRIVES:
        missing = [path for path in checkpoint_paths(drive) if not path.is_file()]
        if missing:
            console.say(f"training the {drive}-driven networks: {', '.join(path.name for path in missing)} missing")
            with console.bar(f"train {drive}") as bar:
                train_hp_memristor(drive, noise=weight_noise(published_programming()), progress=bar)
