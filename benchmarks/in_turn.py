"""Two decks run in turn: the ratio of their processor times, and how far each is from a tight run."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuits.engine.door.guard import check_deck
from circuits.engine.job import GIB, Job
from circuits.engine.result import Result
from circuits.engine.run import run
from circuits.netlist.deck import write_files
from circuits.netlist.solver import ACCURATE
from circuits.netlist.solver_variation import SolverVariation

LIMIT = 24 * GIB
TIGHT = SolverVariation(name="tight", tolerance=0.1, step=0.1, solver=ACCURATE)


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A deck's least processor time, and its last result."""

    seconds: float
    result: Result


def timed(deck: Path, op_amp: str = "any") -> Timed:
    """Run a deck once; processor seconds of the simulator, reading and set-up included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run(Job(deck=deck, timeout=7200, memory_limit=LIMIT, file_limit=LIMIT, op_amp=op_amp))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timed(seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result=result)


def in_turn(before: Path, now: Path, rounds: int = 1) -> tuple[Timed, Timed]:
    """Run two decks one after the other, ``rounds`` times; the least time of each counts.

    Args:
        before: runs with the op-amp of its own ``.lib``.
        now: runs as `cosim simulate` would.
    """
    pairs = [(timed(before, "lib"), timed(now)) for _ in range(rounds)]
    return tuple(min(column, key=lambda one: one.seconds) for column in zip(*pairs, strict=True))


def tight(deck: Path) -> Result:
    """A deck with tolerances and largest step a tenth, trapezoidal."""
    with tempfile.TemporaryDirectory() as made:
        files = {file.relative: file for file in check_deck(deck)}
        write_files(Path(made), TIGHT.apply(files, deck.name))
        return timed(Path(made) / deck.name).result


def apart(one: Result, other: Result, vectors: Sequence[str], start: float) -> float:
    """Largest difference from ``start`` [s] on, in parts of the other's largest magnitude."""
    times = np.linspace(start, other.waveforms.time[-1], 1000)
    got, wanted = (np.stack([result.waveforms.resample(vector, times) for vector in vectors]) for result in (one, other))
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())
