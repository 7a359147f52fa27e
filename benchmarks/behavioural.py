"""The behavioural model: how fast it is, how much faster than torchdiffeq's loop and than ngspice, how far apart (HP twin).

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.behavioural           # about five minutes, most of it flat decks
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.behavioural --no-flat # without them, about two minutes

First row: 1000 boards programmed with 64 levels and 2.2 % error, the sine, in one call, against macro decks of the first few of
the same boards, run one after the other; processor seconds of each, the macro decks' median times 1000. Drawing, solving the
arrays and integrating are in the behavioural figure; compiling the macro decks is not in theirs.
Then the same boards and one board alone, integrated in turn by the model's own loop and by torchdiffeq's on the equations in
torch, which is how the model was solved before it had a loop, and the deviation between the two.
Then 10 000 boards on all four stimuli in batches, with the memory that this takes.
Last rows: the nominal board, all four stimuli, against the flat decks as committed in netlists/hp_memristor.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torchdiffeq import odeint

from circuits.array.programming import published_programming
from circuits.array.window import Window
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.engine.waveforms import Waveforms
from cosim.behavioural.blueprint import Blueprint, blueprint_of
from cosim.behavioural.board import Board, make_board
from cosim.behavioural.drive import Drive
from cosim.behavioural.from_folder import read_blueprint
from cosim.behavioural.integrate import model_states, solve, step_grid, step_spreads
from cosim.behavioural.monte_carlo import batches, programmed
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Scales
from cosim.experiment import Experiment
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
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
def by_torchdiffeq(board: Board, case: Case, scales: Scales, steps: int) -> np.ndarray:
    """Capacitor voltages (ends of the steps, boards, states) [V] by the library's loop, on the equations in torch."""
    drive = Drive(case=case, scales=scales)
    corners = np.concatenate([[0.0], drive.breakpoints(), [drive.duration]])
    grid = step_grid(corners, steps, drive.duration, drive.moves(corners))
    spreads = step_spreads(grid, corners)

    def slope(t: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        here = int(np.searchsorted(grid, float(t), side="right")) - 1
        return board(s, drive(float(t)), spreads[min(here, len(spreads) - 1)]).slope

    initial = torch.tensor([case.initial], dtype=torch.float64) * torch.as_tensor(scales.state)
    s0 = board.integrator.started(initial).expand(board.boards, -1).clone()
    return odeint(slope, s0, torch.from_numpy(grid), method="rk4").numpy()


def in_turn(label: str, board: Board, case: Case, scales: Scales, steps: int, rounds: int = 2) -> tuple[float, float]:
    """Own loop and the library's, one after the other, on the same steps: how many times faster, and parts of full scale."""
    solve(board, case, scales, steps=steps)  # what is compiled is compiled now
    own, theirs = [], []
    for _ in range(rounds):
        before = time.process_time()
        got = solve(board, case, scales, steps=steps)
        own.append(time.process_time() - before)
        before = time.process_time()
        ends = by_torchdiffeq(board, case, scales, steps)
        theirs.append(time.process_time() - before)
    # samples that are ends of steps too, where nothing lies between the two but rounding
    apart = np.abs(got.s.numpy()[[0, -1]] - ends[[0, -1]]).max() / np.abs(ends).max()
    print(f"  {label}, {steps} steps: own loop {min(own):.3f} processor s, torchdiffeq {min(theirs):.2f} s: "
          f"{min(theirs) / min(own):.0f} times faster, {apart:.1e} of full scale apart", flush=True)
    return min(theirs) / min(own), float(apart)


@torch.no_grad()
def many(experiment: Experiment, blueprint: Blueprint, window: Window, boards: int = 10_000,
         steps: int = 125) -> tuple[float, float]:
    """All stimuli, in batches: seconds of wall clock, and GB."""
    cpu, wall = time.process_time(), time.perf_counter()
    draws = [published_programming(seed) for seed in range(boards)]
    ends = {case.name: [] for case in experiment.cases}
    for board in batches(blueprint, draws, window):
        for case in experiment.cases:
            solution = solve(board, case, blueprint.scales, steps=steps)
            ends[case.name].append(model_states(board, solution, blueprint.scales)[-1, :, 0].numpy())
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{boards} HP boards on {len(ends)} stimuli, {steps} steps: {cpu:.1f} processor s, {wall:.1f} s of wall clock, "
          f"{memory:.2f} GB at most")
    print("  spread of the state at the end: " + ", ".join(f"{name} {np.std(np.concatenate(end)):.1e}"
                                                          for name, end in ends.items()), flush=True)
    return wall, memory


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the rows say."""

    of_macro: float  # times faster than macro decks
    of_library: float  # times faster than torchdiffeq's loop
    apart: float  # parts of full scale from torchdiffeq's
    many_seconds: float  # wall clock, 10 000 boards on all stimuli
    many_memory: float  # GB


@torch.no_grad()
def batch(boards: int = 1000, macro_runs: int = 3, steps: int = 125, many_boards: int = 10_000) -> Batch:
    """All rows but the last."""
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
    faster, from_library = in_turn(f"{boards} boards", board, case, twin.scales, steps)
    in_turn("one board", make_board(blueprint), case, twin.scales, case.samples - 1)
    seconds, memory = many(experiment, blueprint, twin.options.window, many_boards)
    return Batch(of_macro=macro / per_1000, of_library=faster, apart=from_library, many_seconds=seconds, many_memory=memory)


@torch.no_grad()
def accuracy() -> dict[str, float]:
    """The last rows; parts of full scale by stimulus."""
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
    """All rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="in the batch (default 1000)")
    parser.add_argument("--macro-runs", type=int, default=3, help="boards that are simulated in ngspice too (default 3)")
    parser.add_argument("--steps", type=int, default=125, help="integration steps of the batch (default 125)")
    parser.add_argument("--many", type=int, default=10_000, help="boards on all stimuli (default 10000)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1; on shared cores more are slower)")
    parser.add_argument("--no-flat", action="store_true", help="leave out the flat decks")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    batch(asked.boards, asked.macro_runs, asked.steps, asked.many)
    if not asked.no_flat:
        accuracy()


if __name__ == "__main__":
    main()
