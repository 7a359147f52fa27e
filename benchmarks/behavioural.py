"""The behavioural model against ngspice on the HP twin (current drive): how much faster, and how far apart.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.behavioural           # about five minutes, most of it flat decks
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.behavioural --no-flat # the batch alone, about half a minute

First row: 1000 boards programmed with 64 levels and 2.2 % error, the sine, in one call, against macro decks of the first few
of the same boards, run one after the other; processor seconds of each, the macro decks' median times 1000. Drawing, solving
the arrays and integrating are in the behavioural figure; compiling the macro decks is not in theirs.
Second row: the nominal board, all four stimuli, against the flat decks as committed in netlists/hp_memristor.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from circuits.array.programming import published_programming
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.engine.waveforms import Waveforms
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.from_folder import read_blueprint
from cosim.behavioural.integrate import model_states, solve
from cosim.behavioural.monte_carlo import programmed
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.folder.manifest import read_manifest
from cosim.simulation.twin_states import twin_states
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

NETLISTS = Path(__file__).parents[1] / "netlists" / "hp_memristor"


def spice(deck: Path) -> tuple[float, Waveforms]:
    """Processor seconds of ngspice, and what it computed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    waveforms = run(Job(deck=deck, timeout=3600)).waveforms
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, waveforms


@torch.no_grad()
def batch(boards: int = 1000, macro_runs: int = 3, steps: int = 125) -> float:
    """The first row; how many times faster."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    case = next(one for one in experiment.cases if one.name == "sine")
    twin = compile_board(experiment.read(), experiment.calibration)
    blueprint, draws = blueprint_of(twin), [published_programming(seed) for seed in range(boards)]
    wall, cpu = time.perf_counter(), time.process_time()
    board = make_board(blueprint, conductances=programmed(blueprint, draws, twin.options.window))
    made = time.process_time() - cpu
    solution = solve(board, case, twin.scales, steps=steps)
    states = model_states(board, solution, twin.scales)[..., 0].numpy()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    seconds, apart = [], []
    for seed in range(macro_runs):
        with tempfile.TemporaryDirectory() as folder:
            experiment.compile(Path(folder), Options(fidelity="macro", programming=draws[seed]))
            one, waveforms = spice(Path(folder) / "sine.cir")
            expected = twin_states(waveforms, read_manifest(Path(folder)), case)[:, 0]
        seconds.append(one)
        apart.append(np.abs(states[:, seed] - expected).max() / np.abs(expected).max())
    macro, per_1000 = 1000 * float(np.median(seconds)), cpu * 1000 / boards
    print(f"{boards} HP boards in one call, {steps} steps, {torch.get_num_threads()} torch threads: {cpu:.2f} processor s "
          f"({made:.2f} s of it making the boards), {wall:.2f} s of wall clock")
    print(f"  macro, the first {macro_runs} of them: {', '.join(f'{one:.2f}' for one in seconds)} processor s each")
    print(f"  1000 boards: macro {macro:.0f} s (median of {macro_runs} times 1000), behavioural {per_1000:.2f} s: "
          f"{macro / per_1000:.0f} times faster")
    print(f"  the first {macro_runs} boards are at most {max(apart):.1e} of full scale apart", flush=True)
    return macro / per_1000


@torch.no_grad()
def accuracy() -> dict[str, float]:
    """The second row; parts of full scale by stimulus."""
    manifest, blueprint, found = read_manifest(NETLISTS), read_blueprint(NETLISTS), {}
    board = make_board(blueprint)
    for case in manifest.cases.values():
        seconds, waveforms = spice(NETLISTS / f"{case.name}.cir")
        expected = twin_states(waveforms, manifest, case)[:, 0]
        before = time.process_time()
        got = model_states(board, solve(board, case, manifest.scales), manifest.scales)[:, 0, 0].numpy()
        apart = np.abs(got - expected).max() / np.abs(expected).max()
        print(f"HP twin, {case.name}: behavioural {apart:.1e} of full scale from flat; "
              f"flat {seconds:.1f} processor s, behavioural {time.process_time() - before:.1f} s", flush=True)
        found[case.name] = float(apart)
    return found


def main() -> None:
    """Both rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="in the batch (default 1000)")
    parser.add_argument("--macro-runs", type=int, default=3, help="boards that are simulated in ngspice too (default 3)")
    parser.add_argument("--steps", type=int, default=125, help="integration steps of the batch (default 125)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1; on shared cores more are slower)")
    parser.add_argument("--no-flat", action="store_true", help="leave out the second row")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    batch(asked.boards, asked.macro_runs, asked.steps)
    if not asked.no_flat:
        accuracy()


if __name__ == "__main__":
    main()
