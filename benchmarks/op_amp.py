"""The compiled op-amp against its subcircuit: processor time as a ratio, waveforms as a part of full scale.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.op_amp              # both, about a minute
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.op_amp hp           # HP twin, sine, macro, 64 op-amps

``lorenz96`` is 1.5 time units of the reference network of F = 6 (6-64-64-6, macro, 410 op-amps), the run from which its lag
is measured. The two forms of a deck run in turn, several times, and each counts with its shortest time.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from circuits.board import nets
from circuits.engine.compiled.compiler import find_compiler
from circuits.engine.job import Job
from circuits.engine.result import Result
from circuits.engine.run import run
from cosim import compile_network
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.studies.hp_memristor.experiment import hp_experiment
from cosim.studies.lorenz96.experiment import TRIM, Lorenz96Setup
from cosim.studies.lorenz96.twins import ensure_twins, twin_board
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths
from training.systems.lorenz96 import FORCINGS

ROUNDS = 4
FORMS = ("lib", "compiled")


@dataclass(frozen=True, kw_only=True)
class FormComparison:
    """One deck with both forms of the op-amp."""

    name: str
    seconds: dict[str, float]  # processor time of ngspice by form, parsing included
    apart: float  # of full scale, worst sample of any state line from the end of the pre-charge on
    apart_mean: float  # the same, mean of the samples: what counts for a chaotic ring

    @property
    def speed(self) -> float:
        """How many times faster the compiled form is."""
        return self.seconds["lib"] / self.seconds["compiled"]

    def __str__(self) -> str:
        return (f"{self.name}: subcircuit {self.seconds['lib']:.2f} s, compiled {self.seconds['compiled']:.2f} s: "
                f"{self.speed:.2f} times faster, {self.apart:.1e} of full scale apart at the worst sample, "
                f"{self.apart_mean:.1e} on average")


def compare_forms(name: str, deck: Path, *, start: float, vectors: tuple[str, ...], rounds: int = ROUNDS) -> FormComparison:
    """Run a deck with both forms, in turn.

    Args:
        start: [s], the waveforms are compared from there on.
        vectors: what is compared; the largest value of any of them is full scale.
    Raises:
        SimulationError: this machine has no compiled form; says why.
    """
    seconds, results = dict.fromkeys(FORMS, np.inf), {}
    for _ in range(rounds):
        for form in FORMS:
            spent, results[form] = _timed(Job(deck=deck, op_amp=form, timeout=3600.0))
            seconds[form] = min(seconds[form], spent)
    one, other = (results[form].waveforms for form in FORMS)
    times = np.linspace(start, one.time[-1], 2000)
    wanted, got = (np.stack([waves.resample(vector, times) for vector in vectors]) for waves in (one, other))
    off, full_scale = np.abs(got - wanted), np.abs(wanted).max()
    return FormComparison(name=name, seconds=seconds, apart=float(off.max() / full_scale),
                          apart_mean=float(off.mean() / full_scale))


def _timed(job: Job) -> tuple[float, Result]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run(job)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result


def hp() -> FormComparison:
    """The HP twin, sine."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    with tempfile.TemporaryDirectory() as made:
        compiled = compile_network(experiment, Path(made) / "decks", Options(fidelity="macro"))
        return compare_forms("HP, macro, sine", compiled.decks["sine"], start=compiled.manifest.start,
                             vectors=(nets.state_vector(0),))


def lorenz96() -> FormComparison:
    """The Lorenz96 twin, 1.5 time units."""
    setup = Lorenz96Setup(systems=(next(iter(FORCINGS.values())),), seeds=1)
    (twin,) = ensure_twins(setup, Console(quiet=True))
    board = twin_board(setup, twin, twin.name, (TRIM,), replace(setup.options, lead=0.0))
    with tempfile.TemporaryDirectory() as made:
        compiled = compile_network(board.experiment(), Path(made) / "decks", board.options)
        return compare_forms("Lorenz96, macro, 1.5 time units", compiled.decks[TRIM], start=compiled.manifest.start,
                             vectors=tuple(map(nets.state_vector, range(6))), rounds=2)


COMPARISONS: dict[str, Callable[[], FormComparison]] = {"hp": hp, "lorenz96": lorenz96}


def forms_table(comparisons: Sequence[FormComparison]) -> MarkdownTable:
    """What goes into docs/results."""
    frame = pd.DataFrame([{
        "deck": one.name, "subcircuit": f"{one.seconds['lib']:.2f} s", "compiled": f"{one.seconds['compiled']:.2f} s",
        "times faster": f"{one.speed:.1f}", "apart, worst sample": f"{one.apart:.0e}", "apart, mean": f"{one.apart_mean:.0e}"}
        for one in comparisons])
    return MarkdownTable(heading="Subcircuit and compiled device", frame=frame, note="Processor time of ngspice, run in turn; "
                         "seconds are noisy. Apart: waveforms of the states, parts of full scale.")


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", choices=[*COMPARISONS, []], help="which; all when none is named")
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file too, as in docs/results")
    asked = parser.parse_args()
    comparisons = []
    for name in asked.name or COMPARISONS:
        comparisons.append(COMPARISONS[name]())
        print(comparisons[-1], flush=True)
    if asked.docs:
        command = shlex.join(["python", "-m", "benchmarks.op_amp", *sys.argv[1:]])
        print(write_tables(asked.docs, "The compiled op-amp", [forms_table(comparisons)], command=command,
                           engines=(NGSPICE.version(), find_compiler().version)))


if __name__ == "__main__":
    main()
