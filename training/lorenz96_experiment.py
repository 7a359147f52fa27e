"""The Lorenz96 experiment: neural ODEs and discrete baselines on one trajectory of each forcing, resumable by row.

Every model is trained on the first 1800 samples and run freely from the first true sample of each span: 1800 samples for
interpolation, 600 for extrapolation. L1 is the mean absolute error in the system's units. `results.csv` beside the
checkpoints holds one row a (model, forcing, seed); a row that is there is not trained again.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from training import checkpoint
from training.baselines import BaselineRecipe, train_baseline
from training.errors import TrainingError
from training.models.neural_ode import solve
from training.models.recurrent import KINDS, Recurrent
from training.shooting import Shooting, ShootingRecipe, train_by_shooting
from training.systems.lorenz96 import FORCINGS, TRAINING_SAMPLES, Lorenz96, phases

CHECKPOINTS = Path(__file__).parent / "checkpoints"
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
        Shooting(steps=120, window=400, stride=2, batch=6, learning_rate=3e-4),
    )
)
_CHAOTIC = replace(_REGULAR, stages=(_FIRST, Shooting(steps=200, window=150, batch=16)))
RECIPES = {"lorenz96_f6": _REGULAR, "lorenz96_f8": _CHAOTIC}
BASELINE = BaselineRecipe()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trained model; L1 in model units."""

    model: str
    system: str
    seed: int
    parameters: int
    validation_l1: float
    interpolation_l1: float
    extrapolation_l1: float
    rotated: bool  # trained on the rotations of the ring


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


def results_path(folder: Path = CHECKPOINTS) -> Path:
    return folder / "lorenz96_results.csv"


def read_results(folder: Path = CHECKPOINTS) -> list[Row]:
    """Rows trained so far, sorted by system, model, seed; empty where nothing is.

    Raises:
        TrainingError: a table with other columns or values that cannot be read; names the file.
    """
    path = results_path(folder)
    if not path.is_file():
        return []
    try:
        with path.open(newline="") as file:
            return [
                Row(
                    model=r["model"], system=r["system"], seed=int(r["seed"]), parameters=int(r["parameters"]),
                    validation_l1=float(r["validation_l1"]), interpolation_l1=float(r["interpolation_l1"]),
                    extrapolation_l1=float(r["extrapolation_l1"]), rotated={"True": True, "False": False}[r["rotated"]],
                )
                for r in csv.DictReader(file)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error!r}); restore it, or delete it and train again") from error


def _store(rows: Sequence[Row], folder: Path) -> None:
    """Merge rows into the table; the file is replaced whole or not at all."""
    merged = {(r.system, r.model, r.seed): r for r in [*read_results(folder), *rows]}
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(Row.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(merged[key]).items()} for key in sorted(merged)
    )
    folder.mkdir(parents=True, exist_ok=True)
    draft = results_path(folder).with_suffix(".tmp")
    draft.write_text(text.getvalue())
    os.replace(draft, results_path(folder))


def free_runs(net, system: Lorenz96) -> tuple[np.ndarray, np.ndarray]:
    """Tight-tolerance free runs of a neural ODE over both spans, (1800, d) and (600, d), each from its first true sample."""
    run = system.solve()
    inner, outer = phases(run.state)
    times = (run.time[:TRAINING_SAMPLES], run.time[TRAINING_SAMPLES:])
    return tuple(solve(net, None, truth[0], t, rtol=1e-8, atol=1e-10) for truth, t in zip((inner, outer), times, strict=True))


def l1_of(net, system: Lorenz96) -> tuple[float, float]:
    """(interpolation, extrapolation) L1 of a neural ODE, model units."""
    truths = phases(system.solve().state)
    return tuple(float(np.abs(p - q).mean()) for p, q in zip(free_runs(net, system), truths, strict=True))


def train_neural_ode(
    system: str,
    seed: int = 0,
    *,
    recipe: ShootingRecipe | None = None,
    force: bool = False,
    folder: Path = CHECKPOINTS,
    progress: Progress | None = None,
) -> Path:
    """Train one neural ODE (about three minutes on one core), save its checkpoint and its row.

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
    run = ring.solve()
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
    _store([row], folder)
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
    """Train the missing seeds of one baseline side by side and store their rows; the networks themselves are not kept.

    Raises:
        TrainingError: unknown system, or training diverged. ModelError: unknown kind.
    """
    ring = _system(system)
    have = {r.seed: r for r in read_results(folder) if (r.model, r.system) == (kind, system)}
    missing = [seed for seed in seeds if force or seed not in have]
    if missing:
        inner, outer = phases(ring.solve().state)
        model = Recurrent(kind, d=inner.shape[1], seeds=missing)
        trained = train_baseline(model, inner, recipe, None if progress is None else partial(progress, kind))
        l1 = [np.abs(trained.free_run(truth[0], len(truth)) - truth).mean(axis=(1, 2)) for truth in (inner, outer)]
        rows = [
            Row(
                model=kind, system=ring.name, seed=seed, parameters=model.parameters_each(),
                validation_l1=float(trained.validation_l1[k]), interpolation_l1=float(l1[0][k]),
                extrapolation_l1=float(l1[1][k]), rotated=recipe.rotate,
            )
            for k, seed in enumerate(missing)
        ]  # fmt: skip
        _store(rows, folder)
        have |= {r.seed: r for r in rows}
    return [have[seed] for seed in seeds]


def train_all(*, force: bool = False, folder: Path = CHECKPOINTS, progress: Progress | None = None) -> list[Row]:
    """Everything that is missing, or with `force` everything; then the whole table."""
    for system in FORCINGS:
        for seed in SEEDS[system]:
            train_neural_ode(system, seed, force=force, folder=folder, progress=progress)
        for kind in KINDS:
            train_baselines(system, kind, force=force, folder=folder, progress=progress)
    return read_results(folder)


def reference_seed(system: str, folder: Path = CHECKPOINTS) -> int:
    """The neural ODE seed to build from: the lowest validation plus interpolation L1, never the extrapolation span.

    Raises:
        TrainingError: no neural ODE of this system in the table.
    """
    rows = [r for r in read_results(folder) if (r.model, r.system) == (NEURAL_ODE, _system(system).name)]
    if not rows:
        raise TrainingError(f"no neural ODE of {system} in {results_path(folder)}; call train_neural_ode({system!r})")
    return min(rows, key=lambda r: r.validation_l1 + r.interpolation_l1).seed


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Mean and sample standard deviation over seeds, model units."""

    model: str
    system: str
    seeds: int
    interpolation: tuple[float, float]
    extrapolation: tuple[float, float]


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """One entry a (system, model), in the table's order; a single seed's deviation is NaN."""
    summaries = []
    for system, model in dict.fromkeys((r.system, r.model) for r in rows):
        group = [r for r in rows if (r.system, r.model) == (system, model)]
        spans = [np.array([getattr(r, f"{span}_l1") for r in group]) for span in ("interpolation", "extrapolation")]
        inner, outer = ((float(v.mean()), float(v.std(ddof=1)) if len(v) > 1 else float("nan")) for v in spans)
        summaries.append(Summary(model=model, system=system, seeds=len(group), interpolation=inner, extrapolation=outer))
    return summaries
