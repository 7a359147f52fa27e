"""Measuring the loops of a board: decks for each kind of stage, run in parallel, read back loop by loop."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from circuits.engine.job import Job
from circuits.engine.pool import run_many
from circuits.errors import SimulationError
from circuits.loops.bench import Measured, loop_deck, read_loops
from circuits.loops.board_loops import Loop, State
from circuits.netlist.deck import write_files

BATCH = 40  # operating points per deck
TIMEOUT = 300.0  # s per deck, which takes about 1 s


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """A loop in one of its states, as measured."""

    loop: Loop
    state: str
    measured: Measured


def measure_loops(loops: Sequence[Loop], *, parts: Mapping[str, str] | None = None, workers: int = 2) -> list[Finding]:
    """Measure every loop in every state.

    Args:
        loops: of a board.
        parts: part -> text of its file, for parts that are not the project's own; None: all are.
        workers: simulations at a time.
    Returns:
        Findings in the order of the loops and of their states.
    Raises:
        SimulationError: the first deck that failed.
    """
    places = [(number, loop, state) for number, loop in enumerate(loops) for state in loop.states]
    batches = [part for _, group in groupby(sorted(places, key=_stage), key=_stage) for part in _parts(list(group))]
    with tempfile.TemporaryDirectory(prefix="cosim_loops_") as folder:
        jobs = [_job(Path(folder), number, batch, parts or {}) for number, batch in enumerate(batches)]
        outcomes = run_many(jobs, workers)
    findings = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        if isinstance(outcome, SimulationError):
            raise outcome
        gains = read_loops(outcome, batch[0][1].stage, len(batch))
        findings += [(number, Finding(loop=loop, state=state.name, measured=measured))
                     for (number, loop, state), measured in zip(batch, gains, strict=True)]
    return [finding for _, finding in sorted(findings, key=lambda numbered: numbered[0])]


def _stage(place: tuple[int, Loop, State]) -> str:
    return place[1].stage


def _parts(group: list) -> list[list]:
    return [group[k : k + BATCH] for k in range(0, len(group), BATCH)]


def _job(folder: Path, number: int, batch: Sequence[tuple[int, Loop, State]], parts: Mapping[str, str]) -> Job:
    deck = loop_deck(f"loops_{number}", batch[0][1].stage, [state.place for _, _, state in batch])
    files = deck.files()
    files |= {f"parts/{part}.lib": text for part, text in parts.items() if f"parts/{part}.lib" in files}
    write_files(folder / f"{number}", files)
    return Job(deck=folder / f"{number}" / f"{deck.name}.cir", timeout=TIMEOUT)
