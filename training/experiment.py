"""Training the networks of the HP memristor: the neural ODE and its ResNet baseline, on the sine alone."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch

from training.checkpoint import save
from training.recipes import NEURAL_ODE, RESNET
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES
from training.trainer import Progress, Recipe, Trained, train_neural_ode, train_resnet

CHECKPOINTS = Path(__file__).parent / "checkpoints"
TRAINED_ON = "sine"


def checkpoint_path(drive: str, *, resnet: bool = False, folder: Path = CHECKPOINTS) -> Path:
    """Where the network of a drive is kept."""
    return folder / f"hp_memristor_{drive}{'_resnet' if resnet else ''}.npz"


def train_hp_memristor(drive: str, *, seed: int = 0, folder: Path = CHECKPOINTS, force: bool = False,
                       progress: Progress | None = None) -> list[Path]:
    """Train what is missing (all of it with ``force``); each checkpoint is written as soon as it is there.

    One thread, so that the sums, and with them the weights, do not depend on the machine's cores.

    Returns:
        The checkpoints' paths, the neural ODE's first.
    """
    paths = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for resnet, train, recipe in ((False, train_neural_ode, NEURAL_ODE), (True, train_resnet, RESNET)):
            path = checkpoint_path(drive, resnet=resnet, folder=folder)
            paths.append(path)
            if force or not path.is_file():
                chosen = replace(recipe[drive], seed=seed)
                trained = train(DRIVES[drive], STIMULI[TRAINED_ON], chosen, progress)
                save(path, trained.net, _provenance(drive, resnet, chosen, trained))
    finally:
        torch.set_num_threads(threads)
    return paths


def _provenance(drive: str, resnet: bool, recipe: Recipe, trained: Trained) -> dict:
    system = DRIVES[drive]
    return {
        "system": system.name,
        "drive": drive,
        "model": "recurrent ResNet" if resnet else "neural ODE",
        "stimulus": TRAINED_ON,
        "seed": recipe.seed,
        "widths": list(recipe.widths),
        "steps": trained.steps,
        "loss_l1": trained.loss,
        "learning_rate": recipe.learning_rate,
        "stages": [vars(stage) for stage in recipe.stages],
        "x0": system.x0,
        "x_max": system.x_max,
        "versions": {name: version(name).split("+")[0] for name in ("torch", "torchdiffeq", "numpy", "scipy")},
    }
