"""Macromodels against flat arrays: processor time as a ratio, waveforms as a part of full scale.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/macromodel.py            # HP twin, about two minutes
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/macromodel.py --tiles    # and a 14-tile twin, about ten minutes more

The two decks of a row run one after the other, both with KLU. The 14-tile twin has 2 inputs and layers of 60, 60 and 1.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from circuits.engine.job import Job
from circuits.engine.run import run
from cosim.case import Case
from cosim.compiler import Options
from cosim.experiment import Experiment
from cosim.hp_memristor import hp_experiment
from cosim.scaling import Calibration
from training.checkpoint import load
from training.experiment import checkpoint_paths
from training.stimuli import STIMULI


def measured(experiment: Experiment, case: str, fidelity: str, folder: Path) -> tuple[float, np.ndarray, np.ndarray]:
    """Processor seconds of ngspice, times [s] and state [V] of one deck."""
    experiment.compile(folder, Options(fidelity=fidelity))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    waveforms = run(Job(deck=folder / f"{case}.cir", timeout=3600)).waveforms
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    times = np.linspace(waveforms.time[-1] * 0.02, waveforms.time[-1], 500)
    return seconds, times, waveforms.resample("v(x0_p)", times)


def row(name: str, experiment: Experiment, case: str) -> None:
    """Both fidelities of one case, and how far apart they are."""
    with tempfile.TemporaryDirectory() as made:
        flat, _, wanted = measured(experiment, case, "flat", Path(made) / "flat")
        macro, _, got = measured(experiment, case, "macro", Path(made) / "macro")
    apart = np.abs(got - wanted).max() / np.abs(wanted).max()
    print(f"{name}: flat {flat:.1f} s, macro {macro:.2f} s, {flat / macro:.0f} times faster, "
          f"{apart:.1e} of full scale apart", flush=True)


def fourteen_tiles() -> Experiment:
    """2-60-60-1, weights as torch draws them, the HP sine for 50 ms: 2 + 8 + 4 arrays."""
    torch.manual_seed(7)
    layers = [m for pair in pairwise((2, 60, 60, 1)) for m in (nn.Linear(*pair), nn.ReLU())][:-1]
    sine, times = STIMULI["sine"], np.linspace(0, 0.1, 101)
    return Experiment(
        subject="fourteen tiles", model=nn.Sequential(*layers).double(), columns=("u0", "x0"),
        calibration=Calibration(inputs=sine(times)[:, None], states=np.linspace(-0.4, 0.4, 101)[:, None]),
        cases=(Case(name="sine", stimuli=(sine,), initial=(0.1,), duration=0.05, samples=51),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", action="store_true", help="also the 14-tile twin")
    arguments = parser.parse_args()
    hp = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    row("HP twin, sine, every wire", hp, "sine")
    if arguments.tiles:
        row("14-tile twin", fourteen_tiles(), "sine")


if __name__ == "__main__":
    main()
