"""The Lorenz96 twin, 6-64-64-6 on 17 reduced arrays: seconds and memory of 48 time units, one simulator at a time.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.lorenz96    # a few minutes

The reference network of F = 6, as `make lorenz96` compiles it: the run that trims the lead capacitor, then both phases.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.profile import Profile, profile
from cosim.console import Console
from cosim.studies.lorenz96.experiment import PHASES, Study
from cosim.studies.lorenz96.pipeline import compile_twins, ensure_twins, trim
from cosim.studies.lorenz96.results import Lorenz96Results
from training.systems.lorenz96 import FORCINGS


@dataclass(frozen=True, kw_only=True)
class Lorenz96:
    """One twin, both phases."""

    compile_seconds: float  # of the trimmed board
    trim_seconds: float  # compiling the untrimmed board and 1.5 time units on it
    phases: dict[str, Profile]

    @property
    def seconds(self) -> float:
        """Simulation of both phases, 48 time units."""
        return sum(one.total for one in self.phases.values())

    @property
    def memory(self) -> float:
        """Bytes, the larger of the two."""
        return max(one.memory for one in self.phases.values())

    def __str__(self) -> str:
        lines = [f"Lorenz96 6-64-64-6, macro: compiling {self.compile_seconds:.0f} s, trimming {self.trim_seconds:.0f} s"]
        lines += [f"  {name}: {one.total:.0f} s, {one.memory / 1e6:.0f} MB, {one.points} points, {one.iterations} iterations, "
                  f"{one.equations} equations ({one.shares})" for name, one in self.phases.items()]
        return "\n".join([*lines, f"  48 time units: {self.seconds:.0f} s, {self.memory / 1e6:.0f} MB"])


def lorenz96() -> Lorenz96:
    """Compile, trim and run."""
    study = Study(systems=(next(iter(FORCINGS.values())),), seeds=1)
    console = Console(quiet=True)
    with tempfile.TemporaryDirectory() as made:
        results = Lorenz96Results(root=Path(made))
        twins = ensure_twins(study, console)
        started = time.monotonic()
        lags = trim(study, results, twins, console, workers=1)
        trimmed = time.monotonic()
        compile_twins(study, results, twins, lags, console)
        compiled = time.monotonic()
        phases = {phase: profile(results.decks(twins[0]) / f"{phase}.cir") for phase in PHASES}
    return Lorenz96(compile_seconds=compiled - trimmed, trim_seconds=trimmed - started, phases=phases)


def main() -> None:
    """Print it."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(lorenz96())


if __name__ == "__main__":
    main()
