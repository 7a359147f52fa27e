"""Why the Lorenz96 board runs at 1e-2 s per time unit, with two-stage neurons, and with its solver settings: the two tables of
docs/explanation/lorenz96.md.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.lorenz96_settings speed     # time scale, neuron, lead: a few minutes
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.lorenz96_settings solver    # trtol, chgtol, largest step: some more

The reference network of F = 6 over the first two time units. L1 in model units, of the circuit against torch and against the
strictest run.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.profile import profile
from circuits.errors import CircuitError
from circuits.netlist.solver import Solver
from cosim.compiler.options import Options
from cosim.folder.manifest import read_manifest
from cosim.problem.case import Case
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.simulation.twin_states import twin_states
from cosim.studies.lorenz96.experiment import FAST, MAX_STEP, Lorenz96Setup, Twin, lorenz96_options
from training.checkpoint import load
from training.experiments.lorenz96 import checkpoint_path, reference_seed
from training.systems.lorenz96 import FORCINGS

DURATION, SAMPLES = 2.0, 101  # time units
LEAD = 22e-6  # s, the lag of a two-stage board


def single_stage(time_scale: float) -> Options:
    """The HP twin's neuron on this board."""
    return Options(fidelity="macro", time_scale=time_scale, solver=FAST, max_step=MAX_STEP)


SPEED = {
    "1e-3, one stage": single_stage(1e-3),
    "1e-2, one stage": single_stage(1e-2),
    "1e-1, one stage": single_stage(1e-1),
    "1e-3, two stages, lead 22 us": replace(lorenz96_options(1e-3), lead=LEAD),
    "1e-2, two stages, no lead": lorenz96_options(1e-2),
    "1e-2, two stages, lead 22 us": replace(lorenz96_options(1e-2), lead=LEAD),
}


def _solver(trtol: float, chgtol: float, max_step: float) -> Options:
    return replace(SPEED["1e-2, two stages, lead 22 us"], solver=Solver(trtol=trtol, chgtol=chgtol), max_step=max_step)


SOLVER = {f"trtol {trtol:g}, chgtol {chgtol:g} C, step {step:g}": _solver(trtol, chgtol, step) for trtol, chgtol, step in (
    (1.0, 1e-14, 0.0015), (30.0, 1e-11, 0.005), (50.0, 1e-11, 0.005), (50.0, 1e-11, 0.01))}


def table(settings: dict[str, Options]) -> pd.DataFrame:
    """One row per setting, printed as it is measured; the first is what the others are compared with."""
    setup, system = Lorenz96Setup(), next(iter(FORCINGS.values()))
    twin = Twin(system=system, seed=reference_seed(system.name, setup.checkpoints), reference=True)
    net = load(checkpoint_path(system.name, twin.seed, setup.checkpoints)).net
    case = Case(name="start", stimuli=(), initial=tuple(setup.truth(system)[0].tolist()), duration=DURATION, samples=SAMPLES)
    experiment = replace(setup.experiment(twin, net, ("interpolation",)), cases=(case,))
    wanted, first, rows = reference(read_network(net), case), None, []
    for name, options in settings.items():
        with tempfile.TemporaryDirectory() as folder:
            experiment.compile(Path(folder), options)
            try:
                run = profile(Path(folder) / "start.cir")
            except CircuitError as error:
                print(f"{name}: {error}", flush=True)
                rows.append({"setting": name, "points": "", "iterations": "", "L1 to torch": "failed", "L1 to the first": ""})
                continue
            states = twin_states(run.result.waveforms, read_manifest(Path(folder)), case)
        first = states if first is None else first
        rows.append({"setting": name, "points": str(run.points), "iterations": str(run.iterations),
                     "L1 to torch": f"{_l1(states, wanted):.4f}", "L1 to the first": f"{_l1(states, first):.4f}"})
        print(", ".join(f"{column} {cell}" for column, cell in rows[-1].items()), flush=True)
    return pd.DataFrame(rows)


def _l1(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


TABLES = {  # name: heading, settings, columns that are written
    "speed": ("Time scale, neuron and lead", SPEED, ["setting", "L1 to torch"]),
    "solver": ("Solver settings", SOLVER, ["setting", "points", "iterations", "L1 to torch", "L1 to the first"])}


def main(arguments: Sequence[str] | None = None) -> None:
    """One of the two tables, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", default=list(TABLES), help="speed, solver; default: both")
    parser.add_argument("--docs", type=Path, help="write the tables to this Markdown file too, as in docs/results")
    asked = parser.parse_args(arguments)
    written = []
    for which in asked.which:
        print(which)
        heading, settings, columns = TABLES[which]
        written.append(MarkdownTable(heading=heading, frame=table(settings)[columns],
                                     note=f"F = 6, reference seed, {DURATION:g} time units; L1 in model units."))
    if asked.docs:
        words = sys.argv[1:] if arguments is None else arguments
        print(write_tables(asked.docs, "Settings of the Lorenz96 board", written, engines=(NGSPICE.version(),),
                           command=shlex.join(["python", "-m", "benchmarks.lorenz96_settings", *words])))


if __name__ == "__main__":
    main()
