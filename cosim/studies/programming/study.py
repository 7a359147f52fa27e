"""Many boards of one network: what programming error and levels do to the twin."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from torch import nn

from circuits.array.programming import PUBLISHED_ERROR, PUBLISHED_LEVELS, published_programming
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.integrate import model_states, solve
from cosim.behavioural.monte_carlo import programmed
from cosim.comparison.metrics import waveform_error
from cosim.compiler.compile import compile_board
from cosim.console import Console
from cosim.experiment import Experiment
from cosim.folder.manifest import Manifest, read_manifest
from cosim.problem.case import Case
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.simulation.twin_states import twin_states
from cosim.store.files import write_json
from cosim.studies.hp_memristor.experiment import hp_experiment, hp_options, hp_truth

FIDELITIES = ("macro", "flat-trimmed", "behavioural")
PUBLISHED = {"mre": 0.17, "dtw": 0.15, "resnet_mre": 0.61, "resnet_dtw": 0.39}  # the published board, for comparison


def study(drive: str, model: nn.Module, seeds: int, root: Path, console: Console, workers: int,
          fidelity: str = "macro") -> pd.DataFrame:
    """Simulate ``seeds`` boards on the four stimuli in ngspice; finished ones are not run again.

    Args:
        fidelity: "macro"; or "flat-trimmed", flat decks without the cells that are off, the same solution, slower.
    Returns:
        One row per board and stimulus: seed, stimulus, mre, dtw, dtw_per_step, max (total error, against the truth).
    """
    experiment = hp_experiment(drive, model)
    runs, manifests = [], {}
    for seed in range(seeds):
        folder = root / f"{drive}_{fidelity.replace('-', '_')}_seed_{seed:02d}"
        deck = "macro" if fidelity == "macro" else "flat"
        options = hp_options(programming=published_programming(seed), fidelity=deck, all_cells=deck == "macro")
        experiment.compile(folder, options)
        manifests[seed] = read_manifest(folder)
        runs += [Run(deck=folder / f"{case.name}.cir", vectors=folder / "vectors" / f"{case.name}.parquet",
                     label=f"board {seed} {case.name}") for case in experiment.cases]
    with console.overall("boards", len(runs)) as bars:
        done = simulate(runs, workers=workers, progress=bars)
    console.say(f"simulated {len(done)} runs, {len(runs) - len(done)} were done before")
    return pd.DataFrame([row for manifest in manifests.items() for row in _rows(drive, experiment, *manifest)])


@torch.no_grad()
def behavioural_study(drive: str, model: nn.Module, seeds: int) -> pd.DataFrame:
    """The same boards and the same rows from the behavioural model, all boards at once."""
    experiment = hp_experiment(drive, model)
    twin = compile_board(experiment.read(), experiment.calibration)
    blueprint = blueprint_of(twin)
    draws = [published_programming(seed) for seed in range(seeds)]
    board = make_board(blueprint, conductances=programmed(blueprint, draws, twin.options.window))
    rows = []
    for case in experiment.cases:
        states = model_states(board, solve(board, case, twin.scales), twin.scales)[..., 0].numpy()
        truth = hp_truth(drive, case)
        rows += [{"seed": seed, "stimulus": case.name, **waveform_error(truth, states[:, seed]).as_dict()}
                 for seed in range(seeds)]
    return pd.DataFrame(rows).sort_values("seed", kind="stable", ignore_index=True)


def _rows(drive: str, experiment: Experiment, seed: int, manifest: Manifest) -> list[dict]:
    return [{"seed": seed, "stimulus": case.name, **_total_error(drive, case, manifest)} for case in experiment.cases]


def _total_error(drive: str, case: Case, manifest: Manifest) -> dict[str, float]:
    waveforms = read_vectors(manifest.folder / "vectors" / f"{case.name}.parquet")
    return waveform_error(hp_truth(drive, case), twin_states(waveforms, manifest, case)[:, 0]).as_dict()


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Median and worst of every stimulus and of all, total error."""
    def row(name: str, group: pd.DataFrame) -> dict:
        return {"stimulus": name, "runs": len(group), "MRE median": group["mre"].median(), "MRE worst": group["mre"].max(),
                "DTW median": group["dtw"].median(), "DTW worst": group["dtw"].max(),
                "DTW/step median": group["dtw_per_step"].median(), "DTW/step worst": group["dtw_per_step"].max()}

    groups = [row(name, group) for name, group in rows.groupby("stimulus", sort=False)]
    return pd.DataFrame([*groups, row("all", rows)])


def write_study(path: Path, drive: str, fidelity: str, rows: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Rows, summary and the published figures as JSON."""
    write_json(path, {"drive": drive, "fidelity": fidelity, "levels": PUBLISHED_LEVELS, "error": PUBLISHED_ERROR,
                      "published": PUBLISHED, "summary": summary.to_dict("records"), "rows": rows.to_dict("records")})
