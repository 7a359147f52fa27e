"""Run one job: through the door, into a private folder, one process, a verdict."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from circuits.cards.card import DeckFile
from circuits.engine.guard import check_deck
from circuits.engine.job import Job
from circuits.engine.log import tail, warnings_in
from circuits.engine.measures import check_measures, measure_deck, read_measures
from circuits.engine.ngspice import Engine, find_engine
from circuits.engine.process import run_process
from circuits.engine.request import Request, read_request
from circuits.engine.result import Result
from circuits.engine.verdict import judge
from circuits.engine.workplace import workplace, write_text
from circuits.errors import LOG_TAIL, FailureKind, RejectedDeck, SimulationError

Progress = Callable[[float, float], None]  # fraction of the transient 0..1, time reached [s]

_RAW = "out.raw"
_REFERENCE = re.compile(rb"Reference value :\s*([-+0-9.e]+)[\r\n]")


def run(job: Job, progress: Progress | None = None, *, stop: Event | None = None) -> Result:
    """Run a deck in one isolated ngspice process and return only what can be believed.

    The deck's folder is read, never written. The child gets a private folder and HOME, our own start-up file, no
    standard input, and the job's limits; it is killed on timeout, on Ctrl-C, and when this process dies.

    Args:
        progress: called about four times a second during a transient, in this thread.
        stop: set by another thread to end the run (kind "killed").
    Raises:
        RejectedDeck: the door refused the deck.
        SimulationError: everything else; its ``kind`` says what, ``partial`` keeps what was computed.
    """
    engine = find_engine()
    files = check_deck(job.deck)
    request = read_request(files)
    check_measures(request)
    t_stop = job.t_stop if job.t_stop is not None else request.t_stop
    if "tran" in request.analyses and t_stop is None:
        raise RejectedDeck(".tran has no stop time that is a number, so nobody could tell whether the run reached it; write "
                           "'.tran step stop' in numbers, or give Job.t_stop", file=job.deck)
    with workplace(job.deck) as folder:
        return _run_in(folder, job, engine, files, request, _reporter(progress, t_stop), stop)


def _run_in(folder: Path, job: Job, engine: Engine, files: Sequence[DeckFile], request: Request,
            report: Callable[[bytes], None] | None, stop: Event | None) -> Result:
    place, home = folder / "deck", folder / "home"
    for file in files:
        write_text(place / file.relative, file.text(), job.deck)
    write_text(home / ".keep", "", job.deck)
    env = _environment(folder, home)
    finished = run_process([str(engine.path), "-n", "-b", "-r", f"../{_RAW}", f"./{files[0].relative}"], job, folder=place,
                           env=env, on_output=report, stop=stop)
    plots = judge(job, request, finished, folder / _RAW)
    values: dict[str, float] = {}
    failed: dict[str, str] = {}
    for analysis in dict.fromkeys(measure.analysis for measure in request.measures):
        write_text(folder / "measures.cir", measure_deck(request, analysis, _RAW), job.deck)
        answer = run_process([str(engine.path), "-n", "-b", "measures.cir"], job, folder=folder, env=env, stop=stop)
        if answer.returncode != 0 or answer.ended != "itself":
            kind = {"itself": FailureKind.ENGINE_ERROR, "timeout": FailureKind.TIMEOUT, "stopped": FailureKind.KILLED}
            raise SimulationError(f"the simulation is good, its {analysis} measures ended with exit code {answer.returncode}; "
                                  "correct the .meas cards", kind=kind[answer.ended], deck=job.deck,
                                  log_tail=tail(answer.stdout, answer.stderr, LOG_TAIL))
        cards = [measure for measure in request.measures if measure.analysis == analysis]
        some, lost = read_measures(cards, answer.stdout, answer.stderr)
        values |= some
        failed |= lost
    return Result(deck=job.deck, plots=tuple(plots), measures=values, failed_measures=failed,
                  warnings=warnings_in(finished.stderr), log=finished.stdout + finished.stderr, seconds=finished.seconds,
                  ngspice_version=engine.version)


def _environment(folder: Path, home: Path) -> dict[str, str]:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(folder), "LC_ALL": "C",
           "OMP_NUM_THREADS": "1", "SPICE_SCRIPTS": str(Path(__file__).resolve().parent)}
    if "LD_LIBRARY_PATH" in os.environ:  # an ngspice of the user's own may need it
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return env


def _reporter(progress: Progress | None, t_stop: float | None) -> Callable[[bytes], None] | None:
    if progress is None or t_stop is None:
        return None
    rest = b""

    def report(chunk: bytes) -> None:
        nonlocal rest
        seen = list(_REFERENCE.finditer(rest + chunk))
        rest = (rest + chunk)[seen[-1].end():][-200:] if seen else (rest + chunk)[-200:]
        if seen:
            time = float(seen[-1][1])
            progress(min(time / t_stop, 1.0), time)

    return report
