"""Merged layers against arrays drawn one by one, each with every curvature: seconds, elements, and how far they are apart.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.merged                  # three boards, about two minutes
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.merged --board lorenz96

The two decks of a board run in turn, ``--rounds`` times; seconds are the least of ngspice's own clock, and the ratio is the
median of the rounds. Boards: the HP twin on the sine, whose layers are one array each, so that its two decks are the same; the
Lorenz96 twin, 6-64-64-6, 1.5 time units; and 2-47-60-1, weights as torch draws them.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from PySpice.Spice.Netlist import SubCircuit

import benchmarks.macromodel
from benchmarks.profile import Profile, profile
from circuits.array.crossbar import SIZE
from circuits.array.macromodel import Reduced, array_macro
from circuits.board import nets
from circuits.board.layer import LayerSpec
from circuits.netlist.block import Block
from circuits.netlist.inspection import inspect_deck
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.experiment import Experiment
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.studies.hp_memristor.experiment import hp_experiment
from cosim.studies.lorenz96.experiment import TRIM, Lorenz96Setup, Twin
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths
from training.experiments.lorenz96 import checkpoint_path, reference_seed
from training.systems.lorenz96 import FORCINGS


def arrays_apart(spec: LayerSpec, reduced: Mapping[str, Reduced]) -> Block:
    """A layer's arrays, each a block of its own, in a block with the pins of the merged one: what that stands for."""
    pins = (*(f"bl{k}" for k in range(spec.n_bit_lines)), *(f"sl{k}" for k in range(spec.n_outputs)), "vsub")
    s, blocks = SubCircuit(f"apart_{spec.name}", *pins), []
    for tile in spec.tiles:
        lines = range(tile.lines.start, tile.lines.stop)
        hanging = [line - tile.first_line for line in spec.hanging if line in lines]
        with patch("circuits.array.macromodel.TERM", math.inf):  # no mean stands for several pairs
            blocks.append(array_macro(tile.name, reduced[tile.name], n_lines=tile.n_lines, wires=spec.wires, hanging=hanging,
                                      one_way=spec.one_way))
        s.X(tile.name, blocks[-1].name, *(f"bl{k}" for k in lines), *[0] * (SIZE - tile.n_lines),
            *(f"sl{k}" for k in range(tile.outputs.start, tile.outputs.stop)), *[0] * (SIZE - tile.n_outputs + SIZE), "vsub")
    return Block(netlist=s, purpose="arrays side by side", pins={"bl0.. sl0.. vsub": "as merged arrays have them"},
                 uses=tuple(blocks))


@dataclass(frozen=True, kw_only=True)
class Board:
    """A network and the run that is measured."""

    experiment: Experiment
    options: Options
    deck: str


def hp() -> Board:
    """The HP twin, sine."""
    net = load(checkpoint_paths("current")[0]).net
    return Board(experiment=hp_experiment("current", net), options=Options(fidelity="macro"), deck="sine.cir")


def lorenz96() -> Board:
    """The Lorenz96 twin of F = 6, the run on which its lag is measured."""
    setup = Lorenz96Setup(systems=(next(iter(FORCINGS.values())),), seeds=1)
    (system,) = setup.systems
    seed = reference_seed(system.name, setup.checkpoints)
    net = load(checkpoint_path(system.name, seed, setup.checkpoints)).net
    return Board(experiment=setup.experiment(Twin(system=system, seed=seed, reference=True), net, (TRIM,)),
                 options=setup.options, deck=f"{TRIM}.cir")


def twelve_tiles() -> Board:
    """2-47-60-1."""
    return Board(experiment=benchmarks.macromodel.twelve_tiles_experiment(), options=Options(fidelity="macro"),
                 deck="sine.cir")


BOARDS: dict[str, Callable[[], Board]] = {"hp": hp, "lorenz96": lorenz96, "twelve_tiles": twelve_tiles}


def measure(name: str, rounds: int) -> dict[str, str]:
    """Compile a board both ways and run the two decks in turn."""
    board, runs = BOARDS[name](), {"apart": [], "merged": []}
    with tempfile.TemporaryDirectory() as made:
        decks = {kind: Path(made) / kind / board.deck for kind in runs}
        with patch("circuits.board.layer.layer_arrays", arrays_apart):
            board.experiment.compile(decks["apart"].parent, board.options)
        board.experiment.compile(decks["merged"].parent, board.options)
        elements = {kind: sum(inspect_deck(deck).devices.values()) for kind, deck in decks.items()}
        for _ in range(rounds):
            for kind, deck in decks.items():
                runs[kind].append(profile(deck))
    best: dict[str, Profile] = {kind: min(profiles, key=lambda one: one.total) for kind, profiles in runs.items()}
    worst, mean = _deviation(best["apart"], best["merged"])
    seconds = {kind: one.total for kind, one in best.items()}
    ratio = np.median([one.total / other.total for one, other in zip(runs["apart"], runs["merged"], strict=True)])
    row = {"board": board.experiment.subject, "elements": f"{elements['apart']} → {elements['merged']}",
           "equations": f"{best['apart'].equations} → {best['merged'].equations}",
           "seconds": f"{seconds['apart']:.2f} → {seconds['merged']:.2f}",
           "faster": f"{ratio:.2f} times",
           "apart, worst sample": f"{worst:.1e} of full scale", "mean": f"{mean:.1e}"}
    print(", ".join(f"{column} {cell}" for column, cell in row.items()), flush=True)
    return row


def _deviation(apart: Profile, merged: Profile) -> tuple[float, float]:
    """Worst sample and mean deviation of the states, as parts of the largest state."""
    one, other = apart.result.waveforms, merged.result.waveforms
    states = [name for name in one.names if (signal := nets.parse_vector(name)) and signal.kind == "state"]
    times = np.linspace(5e-3, one.time[-1], 2000)
    wanted, got = (np.stack([waves.resample(state, times) for state in states]) for waves in (one, other))
    off, full_scale = np.abs(got - wanted), np.abs(wanted).max()
    return float(off.max() / full_scale), float(off.mean() / full_scale)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--board", action="append", choices=BOARDS, help="this one only; may be given more than once")
    parser.add_argument("--rounds", type=int, default=4, help="runs of each deck (default 4)")
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file too, as in docs/results")
    asked = parser.parse_args()
    rows = [measure(name, asked.rounds) for name in asked.board or BOARDS]
    table = MarkdownTable(heading="Merged layers", frame=pd.DataFrame(rows),
                          note="Arrays drawn one by one → merged. Elements are those of the whole deck, amplifiers included. "
                               "Seconds, the least of several runs, and their ratio, the median, are noisy: the two decks of "
                               "the HP twin are the same.")
    Console(width=190).table(table.frame, table.heading)
    if asked.docs:
        print(write_tables(asked.docs, "Merged layers", [table], engines=(NGSPICE.version(),),
                           command=shlex.join(["python", "-m", "benchmarks.merged", *sys.argv[1:]])))


if __name__ == "__main__":
    main()
