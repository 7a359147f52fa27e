"""The table of the Lorenz96 experiment: a row for each model, forcing and seed, committed beside the checkpoints.

`lorenz96_results.csv` makes the experiment resumable: `training.experiments.lorenz96` trains what has no row.
"""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from training.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trained model; L1 is in model units."""

    model: str
    system: str
    seed: int
    parameters: int
    validation_l1: float
    interpolation_l1: float
    extrapolation_l1: float
    rotated: bool  # trained on the rotations of the ring


def results_path(folder: Path) -> Path:
    """The table in a folder of checkpoints."""
    return folder / "lorenz96_results.csv"


def read_results(folder: Path) -> list[Row]:
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


def store_results(rows: Sequence[Row], folder: Path) -> None:
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


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Mean and sample standard deviation over seeds [model units]."""

    model: str
    system: str
    seeds: int
    interpolation: tuple[float, float]
    extrapolation: tuple[float, float]


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """An entry for each system and model, in the order of the table; the deviation of a single seed is NaN."""
    summaries = []
    for system, model in dict.fromkeys((r.system, r.model) for r in rows):
        group = [r for r in rows if (r.system, r.model) == (system, model)]
        spans = [np.array([getattr(r, f"{span}_l1") for r in group]) for span in ("interpolation", "extrapolation")]
        inner, outer = ((float(v.mean()), float(v.std(ddof=1)) if len(v) > 1 else float("nan")) for v in spans)
        summaries.append(Summary(model=model, system=system, seeds=len(group), interpolation=inner, extrapolation=outer))
    return summaries
