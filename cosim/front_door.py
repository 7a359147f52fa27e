"""What a user calls: compile, open, simulate and compare a network, each in one line."""

from __future__ import annotations

import warnings
from pathlib import Path

from cosim.comparison.comparison import Comparison, compare_runs
from cosim.comparison.comparison import compare as compare_folder
from cosim.comparison.stored_runs import StoredRun
from cosim.compiler.options import Options
from cosim.console import Progress
from cosim.errors import CosimError, CosimWarning
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork, load
from cosim.simulation import decks as deck_runs
from cosim.simulation.simulated import Simulation

__all__ = ["compare", "compile_network", "load", "simulate"]


def compile_network(experiment: Experiment, folder: str | Path, options: Options | None = None, *,
                    progress: Progress | None = None) -> CompiledNetwork:
    """Compile a network to a folder of ngspice decks, one deck per case.

    Args:
        experiment: the network, what it is fed, calibration samples and cases.
        folder: made if missing; decks of cases that are no longer wanted are removed.
        options: fidelity, conductance window, time scale and the rest; None: the nominal board, every cell and wire.
        progress: called with (what is being done, part of it that is done).
    Raises:
        UnsupportedModelError: the model holds something that the board has no circuit for; names it.
        MappingError, ClippingError, CircuitError: conductances that cannot be reached, or a run that would leave the stages'
            linear ranges.
        ResultsError: the folder cannot be written.
    """
    experiment.compile(Path(folder), options, progress)
    return load(folder)


def simulate(compiled: CompiledNetwork | str | Path, *, fidelity: str | None = None, out: str | Path | None = None,
             workers: int = 2, timeout: float = deck_runs.TIMEOUT, force: bool = False,
             progress: Progress | None = None) -> Simulation:
    """Simulate every case of a compiled network; what is current is not simulated again.

    Args:
        compiled: what :func:`compile_network` or :func:`load` gave, or its folder.
        fidelity: None: ngspice runs the decks as they are; "behavioural": the torch model of the board, without ngspice.
        out: folder of the waveforms; None: ``vectors`` in the compiled folder.
        workers: simulations at a time.
        timeout: s per deck.
        force: simulate again what is there already.
        progress: called with (case, part of it that is done).
    Raises:
        CosimError: an unknown fidelity.
        SimulationError, SeveralFailed: decks that failed, each with its reason and its log; the others are stored.
        ResultsError: a folder that cannot be read or written.
    """
    compiled = compiled if isinstance(compiled, CompiledNetwork) else load(compiled)
    if fidelity not in (None, "behavioural"):
        raise CosimError(f"fidelity {fidelity!r}: give 'behavioural', or None, which runs the decks as they are; 'flat' or "
                         "'macro' is chosen when the network is compiled")
    folder = compiled.folder / "vectors" if out is None else Path(out)
    runs = [deck_runs.Run(deck=deck, vectors=folder / f"{name}.parquet", label=name) for name, deck in compiled.decks.items()]
    if fidelity == "behavioural":
        from cosim.behavioural.simulation import simulate_behavioural

        simulate_behavioural(compiled.folder, runs, force=force, progress=progress)
    else:
        deck_runs.simulate(runs, workers=workers, timeout=timeout, force=force, progress=progress)
    return Simulation(compiled=compiled, fidelity=fidelity or compiled.fidelity,
                      vectors={run.label: run.vectors for run in runs},
                      measures={run.label: deck_runs.measures_of(run.vectors) for run in runs})


def compare(simulated: Simulation | CompiledNetwork | str | Path, *, waveforms: str | Path | None = None) -> Comparison:
    """Compare simulated waveforms with the torch network that their decks were compiled from.

    Args:
        simulated: what :func:`simulate` gave; or a compiled network, its folder, or the results folder of a study.
        waveforms: folder of the waveforms; None: where they were put.
    Warns:
        CosimWarning: a case that passes 2 % of full scale, and when.
    Raises:
        ResultsError: nothing to compare there, waveforms of other decks, or weights that are not those of the decks.
    """
    if isinstance(simulated, Simulation):
        if waveforms is not None:
            raise CosimError("a simulation knows its own waveforms; leave waveforms out, or give the compiled folder")
        comparison = compare_runs([StoredRun(board="", compiled=simulated.compiled, case=name, path=path,
                                             waveforms=simulated.waveforms(name)) for name, path in simulated.vectors.items()])
    else:
        comparison = compare_folder(simulated.folder if isinstance(simulated, CompiledNetwork) else simulated, waveforms)
    for line in comparison.parted:
        warnings.warn(f"{line}; print(comparison.why) says what errs and what to change", CosimWarning, stacklevel=2)
    return comparison
