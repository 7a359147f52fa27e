"""The HP memristor experiment: it trains both models of a drive on the sine and saves their checkpoints."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from training import checkpoint
from training.errors import TrainingError
from training.noise import WeightNoise
from training.stimuli import STIMULI
from training.systems.hp_memristor import DRIVES, HPMemristor
from training.trainer import Recipe, Stage, Trained, train_neural_ode, train_resnet

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
TRAINING_STIMULUS = "sine"

# Noisy boards first, to find weights whose errors average out; then the exact network alone, to make it accurate.
# The windows stay short at the end: over whole trajectories the few distinct gradients of an L1 loss leave Adam
# jittering at 0.5 % of full-scale derivative, over many short windows at 0.1 %.
NEURAL_ODE = Recipe(
    stages=(
        Stage(steps=400, window=10, batch=8, boards=12),
        Stage(steps=400, window=25, stride=2, batch=8, boards=16),
        Stage(steps=400, window=10, batch=64),
    ),
    learning_rate=1e-2,
)
RESNET = Recipe(
    stages=(Stage(steps=2000, window=10, batch=64), Stage(steps=1000, window=50, batch=16)), learning_rate=3e-3
)


def checkpoint_paths(drive: str, folder: Path = CHECKPOINTS) -> tuple[Path, Path]:
    """Checkpoint files (neural ODE, ResNet) of a drive.

    Raises:
        TrainingError: the drive is unknown.
    """
    if drive not in DRIVES:
        raise TrainingError(f"unknown drive {drive!r}; choose one of {', '.join(sorted(DRIVES))}")
    return folder / f"hp_memristor_{drive}.npz", folder / f"hp_memristor_{drive}_resnet.npz"


def _provenance(system: HPMemristor, model: str, recipe: Recipe, trained: Trained) -> dict:
    grid = system.grid()
    return {
        "system": "hp_memristor",
        "drive": system.drive,
        "model": model,
        "seed": recipe.seed,
        "widths": list(recipe.widths),
        "epochs": trained.steps,
        "loss": trained.loss,
        "training_stimulus": TRAINING_STIMULUS,
        "time_step": float(grid[1] - grid[0]),  # s; the ResNet is bound to it
        "normalisation": {"x_max": system.x_max, "x0": system.x0, "unit": system.unit, "polarity": system.polarity},
        "versions": checkpoint.library_versions(),
    }


def train_hp_memristor(
    drive: str,
    *,
    seed: int = 0,
    force: bool = False,
    folder: Path = CHECKPOINTS,
    noise: WeightNoise | None = None,
    progress: Callable[[str, int, int, float], None] | None = None,
) -> tuple[Path, Path]:
    """Train the neural ODE (30 s on one core) and the ResNet (7 s) of a drive on the sine and save them.

    Args:
        drive: "current" or "voltage".
        force: retrain even where a checkpoint exists; existing files are replaced only once training has ended.
        noise: of the array that the neural ODE is trained for.
        progress: called as progress(model, step, total, loss), model "neural_ode" or "recurrent_resnet".
    Returns:
        (neural ODE, ResNet) checkpoint files.
    Raises:
        TrainingError: unknown drive, or training diverged. CheckpointError: a file could not be written.
    """
    paths = checkpoint_paths(drive, folder)
    system, stimulus = DRIVES[drive], STIMULI[TRAINING_STIMULUS]
    models = (("neural_ode", train_neural_ode, NEURAL_ODE), ("recurrent_resnet", train_resnet, RESNET))
    for path, (model, train, recipe) in zip(paths, models, strict=True):
        if path.is_file() and not force:
            continue
        recipe = replace(recipe, seed=seed, noise=noise)
        report = None if progress is None else partial(progress, model)
        trained = train(system, stimulus, recipe, report)
        checkpoint.save(path, trained.net, _provenance(system, model, recipe, trained))
    return paths
