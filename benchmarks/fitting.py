"""Smooth networks, fitted: what the substitution costs beside the circuit, for the HP memristor and the Van der Pol oscillator.

    make fitting                                            # about ten minutes
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.fitting --network "Van der Pol, tanh" --fidelity macro

Each network is trained here on its system's own vector field. Exit code 1 when an error passes its limit of 0.5 %.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cosim import Calibration, Case, Experiment, Fit, Options, Sine, compare, compile_network, simulate
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.studies.hp_memristor.experiment import hp_case, hp_truth
from training.integrate import integrate
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES
from training.trainer import one_thread

LIMIT = 0.005  # MRE of the circuit, and of the substitution
ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "softplus": nn.Softplus, "SiLU": nn.SiLU}
FLAT = "Van der Pol, softplus"  # whose flat decks are run as well, every cell and wire
PUSH = Sine(amplitude=0.5, bias=0.0, period=7.0)
Derivative = Callable[[Tensor], Tensor]


class Centred(nn.Module):
    """One hidden layer, fed with its inputs in parts of their reach around their middle."""

    def __init__(self, low: np.ndarray, high: np.ndarray, hidden: int, activation: type[nn.Module], n_states: int):
        super().__init__()
        self.middle, self.reach = torch.from_numpy((low + high) / 2), torch.from_numpy(0.55 * (high - low))
        self.net = nn.Sequential(nn.Linear(len(low), hidden), activation(), nn.Linear(hidden, n_states)).double()

    def forward(self, z: Tensor) -> Tensor:
        return self.net((z - self.middle) / self.reach)


def train(model: Centred, derivative: Derivative) -> None:
    """Adam, then L-BFGS, on points of the whole region."""
    draw = torch.Generator().manual_seed(0)
    points = model.middle + model.reach * (2 * torch.rand(4000, len(model.middle), generator=draw, dtype=torch.float64) - 1)
    wanted = derivative(points)
    scale = wanted.abs().amax(dim=0)
    with torch.no_grad():
        model.net[-1].weight *= scale[:, None]
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 2000)
    lbfgs = torch.optim.LBFGS(model.parameters(), max_iter=1500, line_search_fn="strong_wolfe")

    def loss(optimiser: torch.optim.Optimizer, chosen: Tensor | slice) -> Tensor:
        optimiser.zero_grad()
        value = (((model(points[chosen]) - wanted[chosen]) / scale) ** 2).mean()
        value.backward()
        return value

    for _ in range(2000):
        chosen = torch.randint(4000, (256,), generator=draw)
        adam.step(lambda chosen=chosen: loss(adam, chosen))
        schedule.step()
    lbfgs.step(lambda: loss(lbfgs, slice(None)))


def hp(drive: str, activation: type[nn.Module]) -> Experiment:
    """The HP memristor, twelve hidden neurons."""
    system, cases = DRIVES[drive], tuple(hp_case(drive, stimulus) for stimulus in STIMULI.values())
    truth = {case.name: hp_truth(drive, case)[:, None] for case in cases}
    seen = np.column_stack([np.concatenate([case.inputs(case.times)[:, 0] for case in cases]),
                            np.concatenate([truth[case.name][:, 0] for case in cases])])
    model = Centred(seen.min(axis=0), seen.max(axis=0), 12, activation, 1)
    train(model, lambda z: torch.from_numpy(system.rhs(z.numpy()[:, :1], z.numpy()[:, 1:])))
    return Experiment(subject=f"HP memristor, {drive} drive", model=model, columns=("u0", "x0"), truth=truth, fit=Fit(),
                      calibration=Calibration(inputs=seen[::4, :1], states=seen[::4, 1:]), cases=cases)


def van_der_pol(activation: type[nn.Module]) -> Experiment:
    """The pushed Van der Pol oscillator, 24 hidden neurons; the region of ``examples/01_van_der_pol.py``."""
    def derivative(z: Tensor) -> Tensor:
        u, x, v = z.unbind(dim=-1)
        return torch.stack([v, (1 - x**2) * v - x + u], dim=-1)

    def truth(case: Case) -> np.ndarray:
        return integrate(lambda t, y: derivative(torch.tensor([PUSH(t), *y], dtype=torch.float64)).numpy(),
                         np.array(case.initial), case.times, rtol=1e-9, atol=1e-11)

    reach = np.array([0.6, 2.4, 2.8]) / 1.1
    model = Centred(-reach, reach, 24, activation, 2)
    train(model, derivative)
    seen = np.random.default_rng(0).uniform(-1, 1, (2000, 3)) * [0.5, 2.2, 2.7]
    case = Case(name="pushed", stimuli=(PUSH,), initial=(2.0, 0.0), duration=7.0, samples=200)
    return Experiment(subject="Van der Pol", model=model, columns=("u0", "x0", "x1"), truth=truth, fit=Fit(), cases=(case,),
                      calibration=Calibration(inputs=seen[:, :1], states=seen[:, 1:]))


NETWORKS: dict[str, Callable[[], Experiment]] = {
    **{f"HP, {drive} drive, {name}": lambda drive=drive, kind=kind: hp(drive, kind)
       for drive in DRIVES for name, kind in ACTIVATIONS.items()},
    **{f"Van der Pol, {name}": lambda kind=kind: van_der_pol(kind) for name, kind in ACTIVATIONS.items()}}


def measure(name: str, fidelity: str, folder: Path) -> dict[str, str]:
    """Train, compile, simulate and compare one network."""
    torch.manual_seed(0)
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what was fitted stands in the table
        experiment = NETWORKS[name]()
        start = time.perf_counter()
        compiled = compile_network(experiment, folder, Options(fidelity=fidelity))
        compiling = time.perf_counter() - start
        frame = compare(simulate(compiled)).to_frame()
    worst = {kind: float(frame[f"{kind}_mre"].max()) for kind in ("circuit", "substitution", "model", "total")}
    row = {"network": name, "decks": fidelity, "hidden neurons": str(sum(compiled.manifest.widths[1:-1])),
           **{f"{kind} MRE": f"{value:.2%}" for kind, value in worst.items()},
           "fitted and compiled in": f"{compiling:.0f} s",
           "verdict": "holds" if max(worst["circuit"], worst["substitution"]) <= LIMIT else "MISSED"}
    print(", ".join(f"{column} {cell}" for column, cell in row.items()), flush=True)
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    """The table; exit code 1 where an error passes the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=NETWORKS, help="this one only; may be given more than once")
    parser.add_argument("--fidelity", choices=("macro", "flat"), help="default macro, and flat for one network")
    parser.add_argument("--out", type=Path, default=Path("runs/fitting"), help="folder of decks (default runs/fitting)")
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file too, as in docs/results")
    asked = parser.parse_args(arguments)
    wanted = [(name, asked.fidelity or "macro") for name in asked.network or NETWORKS]
    if not (asked.network or asked.fidelity):
        wanted.append((FLAT, "flat"))
    rows = [measure(name, fidelity, asked.out / f"{name}, {fidelity}".lower().replace(", ", "_").replace(" ", "_"))
            for name, fidelity in wanted]
    table = MarkdownTable(heading="Fitted networks", frame=pd.DataFrame(rows),
                          note="Errors are those of the worst state in the worst case. Circuit: the board against the fitted "
                               "network; substitution: the fitted network against the smooth one; model: the smooth one "
                               "against the system; total: the board against the system. Seconds are noisy.")
    Console(width=190).table(table.frame, table.heading)
    if asked.docs:
        words = sys.argv[1:] if arguments is None else arguments
        print(write_tables(asked.docs, "Smooth networks, fitted", [table], engines=(NGSPICE.version(),),
                           command=shlex.join(["python", "-m", "benchmarks.fitting", *words])))
    sys.exit(1 if (table.frame["verdict"] == "MISSED").any() else 0)


if __name__ == "__main__":
    main()
