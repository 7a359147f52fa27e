"""`cosim netlists`, behind `make netlists`."""

from __future__ import annotations

from pathlib import Path

from circuits.block_benches import BENCHES, block_bench
from circuits.deck import write_files
from cosim.hp_memristor import hp_experiment
from training.checkpoint import load
from training.experiment import checkpoint_paths


def run(out: Path) -> None:
    """The committed decks of the reference case, and a deck a block."""
    hp_experiment("current", load(checkpoint_paths("current")[0]).net).compile(out / "hp_memristor")
    print(f"{out / 'hp_memristor'}: one deck a stimulus")
    for name in BENCHES:
        write_files(out / "blocks", block_bench(name).files())
    print(f"{out / 'blocks'}: {', '.join(f'{name}.cir' for name in BENCHES)}")
