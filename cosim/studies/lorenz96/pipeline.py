"""`make lorenz96`: train if needed, compile, trim, simulate, compare; finished steps are not done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cosim.comparison.lag import measured_lag
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.folder.manifest import MANIFEST_NAME, Manifest, read_manifest
from cosim.folder.read import read_folder_network
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.store.files import content_key, is_text_current, write_text_key
from cosim.store.sources import source_key
from cosim.studies.lorenz96.experiment import PHASES, TRIM, Study, Twin
from cosim.studies.lorenz96.results import Lorenz96Results
from training.checkpoint import load
from training.experiments.lorenz96 import checkpoint_path, reference_seed, train_neural_ode


def ensure_twins(study: Study, console: Console) -> list[Twin]:
    """Train what is missing; the twins of the study, each forcing's reference seed first."""
    twins = []
    for position, system in enumerate(study.systems):
        count = study.seeds if position == 0 else 1
        for seed in range(count):
            path = checkpoint_path(system.name, seed, study.checkpoints)
            if not path.is_file():
                console.say(f"training {path.name}: missing")
                with console.bar(f"train {system.name}, seed {seed}") as bar:
                    train_neural_ode(system.name, seed, folder=study.checkpoints, progress=bar)
        best = reference_seed(system.name, study.checkpoints)
        others = [seed for seed in range(count) if seed != best]
        twins += [Twin(system=system, seed=seed, reference=seed == best) for seed in [best, *others][:count]]
    return twins


def compile_board(study: Study, twin: Twin, folder: Path, phases: tuple[str, ...], options: Options,
                  console: Console) -> Manifest:
    """Decks of some phases; nothing is computed when the folder was made from the same network, options and code."""
    checkpoint = checkpoint_path(twin.system.name, twin.seed, study.checkpoints)
    what = [checkpoint.read_bytes(), repr((twin, phases, options, study.samples, study.training_samples, study.duration,
                                           study.trim_samples)),
            # Decks made by other code are compiled again; unchanged decks are then left alone, and so are their results.
            source_key("cosim.studies.lorenz96.experiment")]
    if not is_text_current(folder / MANIFEST_NAME, content_key([*what, *_contents(folder)])):
        console.say(f"compiling {twin.name}, {' and '.join(phases)}: {folder}")
        study.experiment(twin, load(checkpoint).net, phases).compile(folder, options)
        write_text_key(folder / MANIFEST_NAME, content_key([*what, *_contents(folder)]))
    return read_manifest(folder)


def _contents(folder: Path) -> list[bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [part for path in files for part in (str(path.relative_to(folder)).encode(), path.read_bytes())]


def trim(study: Study, results: Lorenz96Results, twins: list[Twin], console: Console, *, workers: int,
         force: bool = False) -> dict[str, float]:
    """Lag [s, circuit time] of every twin's loop, by name, measured on its board without a lead capacitor."""
    options = replace(study.options, lead=0.0)
    manifests = {twin: compile_board(study, twin, results.trim_decks(twin), (TRIM,), options, console) for twin in twins}
    _simulate([Run(deck=results.trim_decks(twin) / f"{TRIM}.cir", vectors=results.vectors(twin, TRIM),
                   label=f"{twin.name} {TRIM}") for twin in twins], console, workers, force)
    lags = {}
    for twin, manifest in manifests.items():
        lags[twin.name] = measured_lag(read_vectors(results.vectors(twin, TRIM)), manifest, manifest.cases[TRIM],
                                       read_folder_network(manifest))
    return lags


def compile_twins(study: Study, results: Lorenz96Results, twins: list[Twin], lags: dict[str, float],
                  console: Console) -> dict[str, Manifest]:
    """Decks of both phases, with the lag of the loop taken out; by the twin's name."""
    # Four digits: the capacitor has three, and a lag that moves in its fifth digit must not make new decks.
    return {twin.name: compile_board(study, twin, results.decks(twin), PHASES,
                                     replace(study.options, lead=float(f"{lags[twin.name]:.4g}")), console)
            for twin in twins}


def simulate_twins(results: Lorenz96Results, twins: list[Twin], console: Console, *, workers: int, force: bool = False) -> None:
    """Both phases of every twin, the long ones first, so that no worker is left with one at the end."""
    _simulate([Run(deck=results.decks(twin) / f"{phase}.cir", vectors=results.vectors(twin, phase),
                   label=f"{twin.name} {phase}") for phase in PHASES for twin in twins], console, workers, force)


def _simulate(runs: list[Run], console: Console, workers: int, force: bool) -> None:
    with console.bars() as bars:
        done = simulate(runs, workers=workers, force=force, progress=bars, timeout=3600.0)
    console.say(f"simulated {len(done)} decks, {len(runs) - len(done)} were done before")
