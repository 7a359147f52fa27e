"""Findings: every bench is run, and the model's figure is compared with that of the datasheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from circuits.benches import d1n4148, memristor, nmos_select, opa4990, tmux1134, volatile_memristor
from circuits.benches.base import Bench, BenchDeck
from circuits.engine.compiled.cards import PART as COMPILED
from circuits.engine.compiled.op_amp import op_amp
from circuits.engine.job import Job
from circuits.engine.pool import run_many
from circuits.engine.result import Result
from circuits.errors import SimulationError
from circuits.netlist.deck import write_files
from circuits.parts import part_path

BENCHES: tuple[Bench, ...] = (*opa4990.BENCHES, *tmux1134.BENCHES, *d1n4148.BENCHES, *nmos_select.BENCHES,
                              *memristor.BENCHES, *volatile_memristor.BENCHES)
TIMEOUT = 60.0  # s per deck, which takes well under 1 s


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A bench, and the figure that the model gave; of the op-amp, what both of its forms gave."""

    bench: Bench
    model: float  # in the bench's unit, of the part's .lib
    compiled: float | None = None  # the same of the compiled device; None where the part or this machine has none

    @property
    def deviation(self) -> float:
        """Model less datasheet, as a part of the figure, or in the bench's unit where its tolerance is absolute."""
        return self._off(self.model)

    @property
    def within(self) -> bool:
        """Whether the model, in every form that there is, is within the bench's tolerance."""
        figures = [self.model, *([] if self.compiled is None else [self.compiled])]
        return all(abs(self._off(figure)) <= self.bench.tolerance for figure in figures)

    def _off(self, figure: float) -> float:
        difference = figure - self.bench.figure
        return difference if self.bench.absolute else difference / self.bench.figure

    @property
    def named(self) -> bool:
        """Whether the bench names words that stand in the header of the part's file."""
        return bool(self.bench.named) and self.bench.named in header_text(self.bench.part)

    @property
    def verdict(self) -> str:
        """"met"; "named" for a deviation that the part's header gives; or "outside" for a deviation that it does not give."""
        return "met" if self.within else "named" if self.named else "outside"


def header_text(part: str) -> str:
    """Comments of a part's file on a single line, so that a phrase is found across a line break."""
    lines = part_path(part).read_text().splitlines()
    return " ".join(" ".join(line.removeprefix("*") for line in lines if line.startswith("*")).split())


def bench_decks(benches: Sequence[Bench] = BENCHES) -> tuple[BenchDeck, ...]:
    """The decks that the benches need, each of them once."""
    return tuple(dict.fromkeys(bench.deck for bench in benches))


def run_benches(folder: Path, benches: Sequence[Bench] = BENCHES, *,
                workers: int = 2) -> tuple[tuple[Finding, ...], Mapping[str, Result]]:
    """Write the decks into ``folder``, run them and measure; those of the op-amp in both of its forms.

    Returns:
        One finding per bench, in order; and the deck's name -> result of the part's .lib, for plots.
    Raises:
        SimulationError: the first deck that failed.
        CircuitError: a waveform does not show what its bench looks for.
    """
    decks = bench_decks(benches)
    for deck in decks:
        write_files(folder, deck.files())
    twice = [deck for deck in decks if deck.part == COMPILED and op_amp().module is not None]
    jobs = [Job(deck=folder / f"{deck.name}.cir", timeout=TIMEOUT, op_amp=form)
            for form, some in (("lib", decks), ("compiled", twice)) for deck in some]
    outcomes = run_many(jobs, workers)
    for outcome in outcomes:
        if isinstance(outcome, SimulationError):
            raise outcome
    results = {deck.name: outcome for deck, outcome in zip(decks, outcomes, strict=False)}
    compiled = {deck.name: outcome for deck, outcome in zip(twice, outcomes[len(decks):], strict=True)}
    return tuple(_finding(bench, results, compiled) for bench in benches), results


def _finding(bench: Bench, results: Mapping[str, Result], compiled: Mapping[str, Result]) -> Finding:
    name = bench.deck.name
    return Finding(bench=bench, model=float(bench.measure(results[name])),
                   compiled=float(bench.measure(compiled[name])) if name in compiled else None)
