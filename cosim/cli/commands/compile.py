"""`cosim compile`."""

from __future__ import annotations

import warnings
from pathlib import Path

from circuits.array.programming import Programming
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.errors import CosimError, CosimWarning
from cosim.experiment import Experiment, load_experiment
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.systems.hp_memristor import DRIVES


def run(source: Path, out: Path, *, levels: int | None, error: float, cell_yield: float, seed: int, fidelity: str,
        time_scale: str, quiet: bool) -> None:
    """Compile and say what came out, and what could not be reached."""
    programming = Programming(levels=levels, error=error, cell_yield=cell_yield, seed=seed)
    options = Options(programming=programming, fidelity=fidelity, time_scale=_time_scale(time_scale))
    experiment = read_experiment(source)
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


def _time_scale(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise CosimError(f"--time-scale {text!r}: a number of circuit seconds per model second, or auto") from None


def read_experiment(source: Path) -> Experiment:
    """Experiment of a checkpoint of the HP memristor, or of a Python file."""
    if source.suffix == ".py":
        return load_experiment(source)
    if source.suffix != ".npz":
        raise CosimError(f"{source}: name a checkpoint (.npz) or a Python file with experiment()")
    checkpoint = load(source)
    drive = checkpoint.provenance.get("drive")
    if drive not in DRIVES:
        raise CosimError(f"{source} was not trained on the HP memristor (drive {drive!r}); describe your own system in a "
                         "Python file with experiment()")
    return hp_experiment(drive, checkpoint.net)
