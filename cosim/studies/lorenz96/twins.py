"""The twins of the Lorenz96 study and their boards, the lag of each loop taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cosim.comparison.lag import measured_lag
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork, load
from cosim.simulation.decks import read_vectors
from cosim.store.identity import identity
from cosim.studies.base.board import StudyBoard
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.experiment import PHASES, TRIM, Lorenz96Setup, Twin
from training.checkpoint import load as load_checkpoint
from training.experiments.lorenz96 import checkpoint_path, reference_seed, train_neural_ode


def ensure_twins(setup: Lorenz96Setup, console: Console) -> list[Twin]:
    """Train what is missing; the twins of the study, each forcing's reference seed first."""
    twins = []
    for position, system in enumerate(setup.systems):
        count = setup.seeds if position == 0 else 1
        for seed in range(count):
            path = checkpoint_path(system.name, seed, setup.checkpoints)
            if not path.is_file():
                console.say(f"training {path.name}: missing")
                with console.bar(f"train {system.name}, seed {seed}") as bar:
                    train_neural_ode(system.name, seed, folder=setup.checkpoints, progress=bar)
        best = reference_seed(system.name, setup.checkpoints)
        others = [seed for seed in range(count) if seed != best]
        twins += [Twin(system=system, seed=seed, reference=seed == best) for seed in [best, *others][:count]]
    return twins


def twin_board(setup: Lorenz96Setup, twin: Twin, name: str, phases: tuple[str, ...], options: Options) -> StudyBoard:
    """The board of a twin, with decks of some phases."""
    checkpoint = checkpoint_path(twin.system.name, twin.seed, setup.checkpoints)

    def experiment() -> Experiment:
        return setup.experiment(twin, load_checkpoint(checkpoint).net, phases)

    spans = identity((twin.system, twin.seed, phases, setup.samples, setup.training_samples, setup.duration,
                      setup.trim_samples))
    return StudyBoard(name=name, experiment=experiment, options=options, inputs=(checkpoint.read_bytes(), spans),
                      code=Lorenz96Setup.__module__)


def trim_name(twin: Twin) -> str:
    """Of the board without a lead capacitor, on which the loop's lag is measured."""
    return f"{twin.name}_{TRIM}"


def measure_lags(setup: Lorenz96Setup, pipeline: Pipeline, twins: Sequence[Twin]) -> dict[str, float]:
    """Lag [s, circuit time] of every twin's loop, by the twin's name, on its board without a lead capacitor."""
    options = replace(setup.options, lead=0.0)
    compiled = pipeline.compile(twin_board(setup, twin, trim_name(twin), (TRIM,), options) for twin in twins)
    pipeline.simulate(compiled, [(trim_name(twin), TRIM) for twin in twins])
    return stored_lags(pipeline.results, twins)


def stored_lags(results: Results, twins: Sequence[Twin]) -> dict[str, float]:
    """The same from the trim runs that were simulated."""
    lags = {}
    for twin in twins:
        board = load(results.decks(trim_name(twin)))
        waveforms = read_vectors(results.vectors(trim_name(twin), TRIM))
        lags[twin.name] = measured_lag(waveforms, board.manifest, board.cases[TRIM], board.network)
    return lags


def stored_twins(setup: Lorenz96Setup, results: Results) -> list[Twin]:
    """The twins whose boards lie in a results folder, each forcing's reference seed first."""
    twins = []
    for system in setup.systems:
        best = reference_seed(system.name, setup.checkpoints)
        names = [folder.name for folder in results.decks("").glob(f"f{system.forcing:g}_seed*") if folder.is_dir()]
        seeds = sorted(int(name.partition("_seed")[2]) for name in names if not name.endswith(TRIM))
        twins += [Twin(system=system, seed=seed, reference=seed == best)
                  for seed in sorted(seeds, key=lambda seed, best=best: seed != best)]
    return twins


def compile_twins(setup: Lorenz96Setup, pipeline: Pipeline, twins: Sequence[Twin],
                  lags: dict[str, float]) -> dict[str, CompiledNetwork]:
    """Boards with decks of both phases and the lag of the loop taken out; by the twin's name."""
    return pipeline.compile(twin_board(setup, twin, twin.name, PHASES, replace(setup.options, lead=_lead(lags[twin.name])))
                            for twin in twins)


def _lead(lag: float) -> float:
    """Lag to take out [s]: four digits, as the capacitor has three, and a fifth must not make new decks; none below 0, which
    is what offsets make of the lag of a ring that hardly moves."""
    return float(f"{max(lag, 0.0):.4g}")
