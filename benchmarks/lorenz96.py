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
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.lorenz96.experiment import PHASES, Lorenz96Setup
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.twins import compile_twins, ensure_twins, measure_lags
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
    setup = Lorenz96Setup(systems=(next(iter(FORCINGS.values())),), seeds=1)
    with tempfile.TemporaryDirectory() as made:
        pipeline = Pipeline(results=Lorenz96Results(root=Path(made)), console=Console(quiet=True), workers=1)
        twins = ensure_twins(setup, pipeline.console)
        started = time.monotonic()
        lags = measure_lags(setup, pipeline, twins)
        trimmed = time.monotonic()
        compiled_twins = compile_twins(setup, pipeline, twins, lags)
        compiled = time.monotonic()
        phases = {phase: profile(compiled_twins[twins[0].name].decks[phase]) for phase in PHASES}
    return Lorenz96(compile_seconds=compiled - trimmed, trim_seconds=trimmed - started, phases=phases)


def main() -> None:
    """Print it."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(lorenz96())


if __name__ == "__main__":
    main()
