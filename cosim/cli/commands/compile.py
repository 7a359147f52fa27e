"""`cosim compile`."""

from __future__ import annotations

import warnings
from pathlib import Path

from circuits.array.programming import Programming
from circuits.netlist.solver import SOLVERS, Solver
from cosim.comparison.gate import parse_limit
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.errors import CosimError, CosimWarning
from cosim.problem.fitting.options import Fit
from cosim.studies.source import read_experiment


def run(source: Path, out: Path, *, levels: int | None, error: float, cell_yield: float, seed: int, fidelity: str,
        time_scale: str, solver: str, max_step: float, fit: bool, fit_error: str | None, trim: bool, quiet: bool) -> None:
    """Compile and say what came out, and what could not be reached."""
    programming = Programming(levels=levels, error=error, cell_yield=cell_yield, seed=seed)
    options = Options(programming=programming, fidelity=fidelity, time_scale=_time_scale(time_scale), trim=trim,
                      solver=_solver(solver), max_step=max_step)
    experiment = read_experiment(source, _fit(fit, fit_error))
    with Console(quiet=quiet).bars() as bars, warnings.catch_warnings():
        warnings.simplefilter("ignore", CosimWarning)  # printed below
        twin = experiment.compile(out, options, bars)
    for note in twin.notes:
        print(f"note: {note}")
    for layer in twin.layers:
        spec = layer.spec
        print(f"{spec.name}: {spec.n_inputs} -> {spec.n_outputs}, r_f {spec.r_f:g} ohm, "
              f"{len(spec.tiles)} arrays, {spec.n_outputs * spec.n_bit_lines} cells in use")
        for row, column, residual in layer.unreached():
            print(f"  output {row}, input {column}: {residual * 1e6:+.3f} uS short, the window does not reach further")
    print(f"decks: {out}")


def _fit(fit: bool, error: str | None) -> Fit | None:
    if error is not None:
        return Fit(error=parse_limit(error))
    return Fit() if fit else None


def _solver(name: str) -> Solver:
    if name not in SOLVERS:
        raise CosimError(f"--solver {name!r}: there are {' and '.join(SOLVERS)}")
    return SOLVERS[name]


def _time_scale(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise CosimError(f"--time-scale {text!r}: a number of circuit seconds per model second, or auto") from None
