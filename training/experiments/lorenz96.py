"""The Lorenz96 experiment: neural ODEs and discrete baselines on a trajectory of each forcing, resumable row by row.

Every model is trained on the first 1800 samples and run freely from the first true sample of each span: 1800 samples for
interpolation and 600 for extrapolation. L1 is the mean absolute error in the system's units. A model whose row is in the table
(`training.experiments.lorenz96_results`) is not trained again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from training import checkpoint
from training.baselines import BaselineRecipe, train_baseline
from training.errors import TrainingError
from training.experiments.lorenz96_evaluation import l1_of, truth
from training.experiments.lorenz96_results import Row, read_results, results_path, store_results
from training.models.recurrent import KINDS, Recurrent
from training.shooting import Shooting, ShootingRecipe, train_by_shooting
from training.systems.lorenz96 import FORCINGS, TRAINING_SAMPLES, Lorenz96, phases

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
NEURAL_ODE = "neural_ode"
SEEDS = {"lorenz96_f6": (0, 1, 2), "lorenz96_f8": (0,)}  # neural ODE
BASELINE_SEEDS = tuple(range(10))
Progress = Callable[[str, int, int, float], None]

# Windows of 10 and 16 time units at the end: F = 6 is regular, and a free run of 36 fails by its phase, which only long
# windows see. At F = 8 an error grows 60-fold in 4 time units, and the gradients with it.
_FIRST = Shooting(steps=100, window=50, stride=2, batch=32, soft_dtw=0.1, adjoint=True)
_REGULAR = ShootingRecipe(
    stages=(
        _FIRST,
        Shooting(steps=150, window=250, stride=2, batch=8),
        Shooting(steps=120, window=400, stride=2, batch=6, learning_rate=2e-4),
    )
)
_CHAOTIC = replace(_REGULAR, stages=(_FIRST, Shooting(steps=200, window=150, batch=16)))
RECIPES = {"lorenz96_f6": _REGULAR, "lorenz96_f8": _CHAOTIC}
BASELINE = BaselineRecipe()


def _system(name: str) -> Lorenz96:
    if name not in FORCINGS:
        raise TrainingError(f"unknown system {name!r}; choose one of {', '.join(FORCINGS)}")
    return FORCINGS[name]


def checkpoint_path(system: str, seed: int, folder: Path = CHECKPOINTS) -> Path:
    """The neural ODE's checkpoint of a system and a seed.

    Raises:
        TrainingError: unknown system.
    """
    return folder / f"{_system(system).name}_seed{seed}.npz"


def train_neural_ode(
    system: str,
    seed: int = 0,
    *,
    recipe: ShootingRecipe | None = None,
    force: bool = False,
    folder: Path = CHECKPOINTS,
    progress: Progress | None = None,
) -> Path:
    """Train a neural ODE (three to four minutes on a core) and save its checkpoint and its row.

    Args:
        system: "lorenz96_f6" or "lorenz96_f8".
        recipe: by default the system's of `RECIPES`; its seed is replaced by `seed`.
        force: retrain even where checkpoint and row exist.
        progress: called as progress(stage, step, total, loss).
    Raises:
        TrainingError: unknown system, or training diverged. CheckpointError: the file could not be written.
    """
    ring, path = _system(system), checkpoint_path(system, seed, folder)
    done = any((r.model, r.system, r.seed) == (NEURAL_ODE, system, seed) for r in read_results(folder))
    if done and path.is_file() and not force:
        return path
    recipe = replace(RECIPES[system] if recipe is None else recipe, seed=seed)
    run = truth(ring)
    shot = train_by_shooting(run.time[:TRAINING_SAMPLES], phases(run.state)[0], recipe, progress)
    interpolation, extrapolation = l1_of(shot.net, ring)
    provenance = {
        "system": ring.name, "forcing": ring.forcing, "start": list(ring.start), "model": NEURAL_ODE, "seed": seed,
        "widths": list(recipe.widths), "epochs": shot.steps, "recipe": json.loads(json.dumps(asdict(recipe))),
        "validation_l1": shot.validation_l1, "interpolation_l1": interpolation, "extrapolation_l1": extrapolation,
        "training_samples": TRAINING_SAMPLES, "time_step": float(run.time[1] - run.time[0]),
        "versions": checkpoint.library_versions(),
    }  # fmt: skip
    checkpoint.save(path, shot.net, provenance)
    count = sum(p.numel() for p in shot.net.parameters())
    row = Row(
        model=NEURAL_ODE, system=ring.name, seed=seed, parameters=count, validation_l1=shot.validation_l1,
        interpolation_l1=interpolation, extrapolation_l1=extrapolation, rotated=recipe.rotate,
    )  # fmt: skip
    store_results([row], folder)
    return path


def train_baselines(
    system: str,
    kind: str,
    *,
    seeds: Sequence[int] = BASELINE_SEEDS,
    recipe: BaselineRecipe = BASELINE,
    force: bool = False,
    folder: Path = CHECKPOINTS,
    progress: Progress | None = None,
) -> list[Row]:
    """Train the missing seeds of a baseline side by side and store their rows. The networks themselves are not kept.

    Raises:
        TrainingError: unknown system, or training diverged. ModelError: unknown kind.
    """
    ring = _system(system)
    have = {r.seed: r for r in read_results(folder) if (r.model, r.system) == (kind, system)}
    missing = [seed for seed in seeds if force or seed not in have]
    if missing:
        inner, outer = phases(truth(ring).state)
        model = Recurrent(kind, d=inner.shape[1], seeds=missing)
        trained = train_baseline(model, inner, recipe, None if progress is None else partial(progress, kind))
        l1 = [np.abs(trained.free_run(x[0], len(x)) - x).mean(axis=(1, 2)) for x in (inner, outer)]
        rows = [
            Row(
                model=kind, system=ring.name, seed=seed, parameters=model.parameters_each(),
                validation_l1=float(trained.validation_l1[k]), interpolation_l1=float(l1[0][k]),
                extrapolation_l1=float(l1[1][k]), rotated=recipe.rotate,
            )
            for k, seed in enumerate(missing)
        ]  # fmt: skip
        store_results(rows, folder)
        have |= {r.seed: r for r in rows}
    return [have[seed] for seed in seeds]


def train_all(*, force: bool = False, folder: Path = CHECKPOINTS, progress: Progress | None = None) -> list[Row]:
    """Train everything that is missing, or with `force` everything; then return the whole table."""
    for system in FORCINGS:
        for seed in SEEDS[system]:
            train_neural_ode(system, seed, force=force, folder=folder, progress=progress)
        for kind in KINDS:
            train_baselines(system, kind, force=force, folder=folder, progress=progress)
    return read_results(folder)


def reference_seed(system: str, folder: Path = CHECKPOINTS) -> int:
    """The seed whose neural ODE is built: it has the lowest L1 on the validation samples. Extrapolation plays no part in it.

    Raises:
        TrainingError: no neural ODE of this system in the table.
    """
    rows = [r for r in read_results(folder) if (r.model, r.system) == (NEURAL_ODE, _system(system).name)]
    if not rows:
        raise TrainingError(f"no neural ODE of {system} in {results_path(folder)}; call train_neural_ode({system!r})")
    return min(rows, key=lambda r: r.validation_l1).seed
