"""How compiling and simulating grow with the network: 6-h-h-6, reduced arrays, weights as torch draws them.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.growth                    # h = 64, 128, 256, 512
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.growth --hidden 64 128    # a quick look

For each h: arrays, compile time and its memory (a process of its own), ngspice's time and memory for the operating point, and
for a transient of 0.1 time units. Exponents are least-squares slopes of log(seconds) over log(h); arrays grow with h squared.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.profile import Profile, profile
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
from cosim.studies.lorenz96.experiment import lorenz96_options
from training.systems.lorenz96 import FORCINGS

HIDDEN = (64, 128, 256, 512)
DURATION = 0.1  # time units, of the transient


@dataclass(frozen=True, kw_only=True)
class Growth:
    """One size."""

    hidden: int
    arrays: int
    compile_seconds: float
    compile_memory: float  # bytes, torch and the other packages included
    point_seconds: float
    point_memory: float  # bytes
    transient_seconds: float
    transient_memory: float  # bytes
    transient: Profile

    def __str__(self) -> str:
        return (f"hidden {self.hidden}, {self.arrays} arrays: compile {self.compile_seconds:.1f} s, "
                f"{self.compile_memory / 1e9:.2f} GB; operating point {self.point_seconds:.2f} s, "
                f"{self.point_memory / 1e9:.2f} GB; {DURATION} time units {self.transient_seconds:.1f} s, "
                f"{self.transient_memory / 1e9:.2f} GB ({self.transient.shares})")


def ring(hidden: int) -> Experiment:
    """Lorenz96's sites on a network of any width, untrained."""
    torch.manual_seed(hidden)
    model = nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 6)).double()
    system = next(iter(FORCINGS.values()))
    states = system.solve(np.linspace(0.0, 10.0, 501)).state
    return Experiment(subject=f"6-{hidden}-{hidden}-6, untrained", model=model, columns=system.state_names,
                      calibration=Calibration(inputs=np.empty((len(states), 0)), states=states),
                      cases=(Case(name="start", stimuli=(), initial=tuple(states[0].tolist()), duration=DURATION, samples=11),))


def _compile(hidden: int, folder: Path, told: multiprocessing.Queue) -> None:
    before = time.process_time()
    ring(hidden).compile(folder, lorenz96_options())
    told.put((time.process_time() - before, 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def compile_seconds(hidden: int, folder: Path | None = None) -> tuple[float, float]:
    """Processor seconds and bytes of compiling one size, in a process of its own.

    Args:
        folder: where the decks go; None: nowhere.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return compile_seconds(hidden, Path(made) / "decks")
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    process = spawn.Process(target=_compile, args=(hidden, folder, told))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"compiling hidden = {hidden} ended with exit code {process.exitcode}")
    return told.get()


def measure(hidden: int) -> Growth:
    """Compile and simulate one size."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "decks"
        seconds, memory = compile_seconds(hidden, folder)
        point = profile(folder / "start.cir", operating_point=True)
        transient = profile(folder / "start.cir")
        arrays = sum(len(layer.tiles) for layer in read_manifest(folder).board.layers)
    return Growth(hidden=hidden, arrays=arrays, compile_seconds=seconds, compile_memory=memory, point_seconds=point.total,
                  point_memory=point.memory, transient_seconds=transient.total, transient_memory=transient.memory,
                  transient=transient)


def exponent(hidden: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of log(seconds) over log(hidden)."""
    return float(np.polyfit(np.log(hidden), np.log(seconds), 1)[0])


def main() -> None:
    """All sizes, one line each as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, nargs="+", default=HIDDEN)
    rows = []
    for hidden in parser.parse_args().hidden:
        row = measure(hidden)
        rows.append(row)
        print(row, flush=True)
    if len(rows) > 1:
        for field in ("compile_seconds", "point_seconds", "transient_seconds"):
            slope = exponent([row.hidden for row in rows], [getattr(row, field) for row in rows])
            print(f"{field.replace('_', ' ')} grow as hidden^{slope:.2f}")


if __name__ == "__main__":
    main()
