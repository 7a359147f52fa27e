"""`cosim netlists`, behind `make netlists`."""

from __future__ import annotations

from pathlib import Path

from circuits.benches.blocks import BENCHES, block_bench
from circuits.netlist.deck import write_files
from cosim.studies.hp_memristor.experiment import hp_experiment, hp_options
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths


def run(out: Path) -> None:
    """The committed decks of the reference case, and a deck per block."""
    hp_experiment("current", load(checkpoint_paths("current")[0]).net).compile(out / "hp_memristor", hp_options())
    print(f"{out / 'hp_memristor'}: one deck per stimulus")
    for name in BENCHES:
        write_files(out / "blocks", block_bench(name).files())
    print(f"{out / 'blocks'}: {', '.join(f'{name}.cir' for name in BENCHES)}")
