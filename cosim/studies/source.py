"""What a user names to be compiled: a checkpoint, or a Python file."""

from __future__ import annotations

from pathlib import Path

from cosim.errors import CosimError
from cosim.experiment import Experiment, load_experiment
from cosim.problem.fitting.options import Fit
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import REMEDY, load
from training.systems.hp_memristor import DRIVES

OWN = ("a network of your own, whatever file its weights are in, is loaded by experiment(), which also says what the network "
       "is fed: docs/how-to/your-own-network.md")


def read_experiment(source: Path, fit: Fit | None = None) -> Experiment:
    """Experiment of a checkpoint of the HP memristor, or of a Python file.

    Args:
        fit: of a file whose experiment says nothing of a fit; a checkpoint needs none.
    Raises:
        CosimError: neither; or a checkpoint of another system, or a file that fails.
    """
    if source.suffix == ".py":
        return load_experiment(source, fit)
    if source.suffix != ".npz":
        raise CosimError(f"{source}: name a Python file with experiment(), or a checkpoint (.npz) of `cosim train`; {OWN}")
    checkpoint = load(source, f"{REMEDY}; {OWN}")
    drive = checkpoint.provenance.get("drive")
    if drive not in DRIVES:
        raise CosimError(f"{source} was not trained on the HP memristor (drive {drive!r}); describe your own system in a "
                         "Python file with experiment()")
    return hp_experiment(drive, checkpoint.net)
