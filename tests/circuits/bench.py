"""Circuits of parts for tests, run by the project's engine in a test's own folder."""

from __future__ import annotations

from pathlib import Path

from circuits.benches.base import SUPPLY, BenchDeck
from circuits.engine.job import Job
from circuits.engine.result import Result
from circuits.engine.run import run as run_job
from circuits.engine.waveforms import Waveforms
from circuits.netlist.deck import write_files
from circuits.parts import FOLDER


def deck(body: str, *, parts: tuple[str, ...], supply: float = SUPPLY, options: str = "klu") -> BenchDeck:
    """Deck of ``body`` between its supplies (nodes vcc, vee)."""
    others = "".join(f".include parts/{part}.lib\n" for part in parts[1:])
    return BenchDeck(name="deck", title="bench", part=parts[0], body=others + body, supply=supply, options=options)


def result(bench: BenchDeck, folder: Path) -> Result:
    """Run a deck in ``folder``."""
    write_files(folder, bench.files() | {f"parts/{path.name}": path.read_text() for path in FOLDER.glob("*.lib")})
    return run_job(Job(deck=folder / f"{bench.name}.cir", timeout=120))


def run(bench: BenchDeck, folder: Path) -> Waveforms:
    """The transient, or the only plot, of a deck."""
    return result(bench, folder).waveforms


def op(bench: BenchDeck, folder: Path) -> dict[str, float]:
    """Operating point, vector name -> value."""
    w = run(bench, folder)
    return {name: float(w[name][0]) for name in w.names}
