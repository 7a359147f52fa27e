"""Running decks and keeping their node voltages; a deck whose result is there already is not run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from circuits.cards.card import DeckFile
from circuits.engine.compiled.op_amp import result_keys
from circuits.engine.door.opening import open_deck
from circuits.engine.door.request import Request
from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.pool import Runner, run_many
from circuits.engine.result import Result
from circuits.engine.run import run as ngspice
from circuits.engine.waveforms import Waveforms
from circuits.errors import RejectedDeck, SeveralFailed, SimulationError
from circuits.vacask.run import find_vacask
from circuits.vacask.run import run as vacask
from cosim.console import Progress
from cosim.simulation.results import is_stored, partial_path, store_result
from cosim.simulation.run import Run
from cosim.store.files import check_writable, content_key, read_frame

TIMEOUT = 900.0  # s a deck; a flat HP deck takes about ten


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What runs decks."""

    runner: Runner
    version: Callable[[], str]
    forms: Callable[[Sequence[DeckFile], Request], tuple[str, ...]]  # of what it may put into a checked deck, in use first


NGSPICE = Engine(runner=ngspice, version=lambda: f"ngspice {find_engine().version}", forms=result_keys)
VACASK = Engine(runner=vacask, version=lambda: f"vacask {find_vacask().version}", forms=lambda files, request: ("",))


def default_folder(decks: Path) -> Path:
    """Where the waveforms of a folder of decks go when nothing else is said."""
    return Path("runs") / decks.resolve().name / "vectors"


def deck_key(deck: Path, engine: Engine = NGSPICE) -> str:
    """Identity of a deck: its text, that of every file it includes, the engine's version, and the form of its op-amps."""
    return deck_keys(deck, engine)[0]


def deck_keys(deck: Path, engine: Engine = NGSPICE) -> list[str]:
    """The same for every form of the op-amps that there is, the one in use first: a result of either is one of this deck."""
    files, request = open_deck(deck)
    parts = [part for file in files for part in (file.relative, file.text(), *(card.text for card in file.control),
                                                 *(card.text for card in file.fourier))]
    return [content_key([engine.version(), *parts, *filter(None, [form])]) for form in engine.forms(files, request)]


def simulate(runs: Sequence[Run], *, workers: int | None = None, timeout: float = TIMEOUT, force: bool = False,
             max_voltage: float | None = None, keep_raw: bool = False, progress: Progress | None = None,
             engine: Engine = NGSPICE) -> list[Run]:
    """Simulate what is not simulated yet, in parallel; every result is stored as soon as it is there.

    Args:
        max_voltage: [V], a saved node beyond it fails the run; the supplies, where the deck is one of ours.
        keep_raw: keep ngspice's raw file beside each result.
    Returns:
        The runs that were simulated now; the others were current.
    Raises:
        SimulationError: the only deck that failed; the others have been stored.
        SeveralFailed: more than one failed; holds them all.
        ResultsError: a folder for the results cannot be written; before anything runs.
    """
    for folder in {run.vectors.parent for run in runs}:
        check_writable(folder)
    keys, failures = _keys(runs, engine)
    wanted = [run for run in runs if run.deck in keys and (force or not is_stored(run, keys[run.deck], keep_raw))]
    jobs = [Job(deck=run.deck, timeout=timeout, max_voltage=max_voltage, keep_raw=partial_path(run.raw) if keep_raw else None)
            for run in wanted]

    def store(index: int, result: Result) -> None:
        store_result(wanted[index], result, keys[wanted[index].deck], keep_raw=keep_raw)
        report(index, 1.0)

    def report(index: int, part: float) -> None:
        if progress is not None:
            progress(wanted[index].label, part)

    outcomes = run_many(jobs, workers, on_start=lambda index: report(index, 0.0), live=report, on_result=store,
                        runner=engine.runner)
    failures |= {run.deck: outcome for run, outcome in zip(wanted, outcomes, strict=True)
                 if isinstance(outcome, SimulationError)}
    if len(failures) > 1:
        raise SeveralFailed([failures[run.deck] for run in runs if run.deck in failures])
    if failures:
        raise next(iter(failures.values()))
    return wanted


def _keys(runs: Sequence[Run], engine: Engine) -> tuple[dict[Path, str], dict[Path, SimulationError]]:
    keys: dict[Path, str] = {}
    refused: dict[Path, SimulationError] = {}
    engine.version()  # one message, not one a deck, where the engine is missing
    for run in runs:
        try:
            keys[run.deck] = deck_key(run.deck, engine)
        except RejectedDeck as error:
            refused[run.deck] = error
    return keys, refused


def read_vectors(path: Path) -> Waveforms:
    """Stored node voltages as waveforms."""
    return frame_to_waveforms(read_frame(path))


def measures_of(path: Path) -> dict[str, float]:
    """Results of the deck's ``.meas`` cards, SI units."""
    return read_frame(path).attrs.get("measures", {})


def frame_to_waveforms(frame: pd.DataFrame) -> Waveforms:
    """A frame of node voltages, scale first, as waveforms."""
    return Waveforms(plot="Transient Analysis", title="", names=tuple(frame.columns), data=frame.to_numpy(float))
