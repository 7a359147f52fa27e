"""Run one job: through the door, into a private folder, one process, a verdict."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from circuits.cards.card import DeckFile
from circuits.engine.code_models import load_lines, needed_code_models
from circuits.engine.compiled.op_amp import LOAD, MODULE, Chosen, choose
from circuits.engine.door.opening import open_deck
from circuits.engine.door.request import MeasureCard, Request
from circuits.engine.fourier import fourier_deck, read_fourier
from circuits.engine.job import Job
from circuits.engine.log import tail, warnings_in
from circuits.engine.measures import kind_of, lost_measures, measure_deck, read_measures
from circuits.engine.ngspice import Engine, find_engine
from circuits.engine.process import Finished, run_process
from circuits.engine.rawfile import split_raw
from circuits.engine.result import Result
from circuits.engine.stop_time import read_stops, stop_deck
from circuits.engine.verdict import judge
from circuits.engine.waveforms import Waveforms
from circuits.engine.workplace import environment, workplace, write_bytes, write_text
from circuits.errors import LOG_TAIL, FailureKind, SimulationError

Progress = Callable[[float, float], None]  # fraction of the transient 0..1, time reached [s]

NOTES_KEPT = 100

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
    files, request = open_deck(job.deck)
    chosen = choose(files, request, job)
    t_stop = job.t_stop if job.t_stop is not None else request.t_stop
    with workplace(job.deck) as folder:
        bench = _Bench(folder=folder, job=job, engine=engine, files=files, chosen=chosen, request=request, stop=stop)
        return bench.run(_reporter(progress, t_stop))


@dataclass(kw_only=True)
class _Bench:
    """A run's private folder and everything that happens in it. What follows the simulation has the job's time once more."""

    folder: Path
    job: Job
    engine: Engine
    files: Sequence[DeckFile]  # as they were checked
    chosen: Chosen  # as they are run, with the op-amp in the form that is used
    request: Request
    stop: Event | None
    deadline: float = math.inf  # of what follows the simulation, on the monotonic clock [s]

    def run(self, report: Callable[[bytes], None] | None) -> Result:
        """The deck itself, then its measures and tables."""
        place = self.folder / "deck"
        for file in self.chosen.files:
            write_text(place / file.relative, file.text(), self.job.deck)
        write_text(self.folder / "home" / ".keep", "", self.job.deck)
        lines = load_lines(self.engine, needed_code_models(self.files), self.job.deck)
        if self.chosen.module is not None:
            write_bytes(self.folder / MODULE, self.chosen.module, self.job.deck)
            lines.append(LOAD)
        env = environment(self.folder, lines, self.job.deck)
        finished = run_process([str(self.engine.path), "-n", "-b", "-r", f"../{_RAW}", f"./{self.chosen.files[0].relative}"],
                               self.job, folder=place, env=env, on_output=report, stop=self.stop)
        env = environment(self.folder, (), self.job.deck)  # of the little decks, which hold no device
        self.deadline = time.monotonic() + self.job.timeout
        try:
            plots = judge(self.job, self._with_stops(env), finished, self.folder / _RAW)
        except SimulationError as failure:
            failure.notes = self._notes()  # a card that was lost may be the cause
            raise
        alone = self._plots_alone(plots)
        values, failed = self._measures(plots, alone, env)
        tables, distortion = self._tables(plots, alone, env)
        if self.job.keep_raw is not None:
            self.job.keep_raw.unlink(missing_ok=True)  # it may be a link that a stranger left there
            shutil.copyfile(self.folder / _RAW, self.job.keep_raw)
        return Result(deck=self.job.deck, plots=(*plots, *tables), measures=values, failed_measures=failed,
                      warnings=warnings_in(finished.stdout, finished.stderr), log=finished.stdout + finished.stderr,
                      seconds=finished.seconds, ngspice_version=self.engine.version,
                      notes=self._notes(), distortion=distortion, op_amp=self.chosen.op_amp)

    def _notes(self) -> tuple[str, ...]:
        notes = tuple(note for file in self.files for note in file.notes)
        more = len(notes) - NOTES_KEPT
        return notes if more <= 0 else (*notes[:NOTES_KEPT], f"and {more} more notes")

    def _with_stops(self, env: dict[str, str]) -> Request:
        """The request with its stop times that are expressions worked out."""
        stops = self.request.stop_expressions()
        if not stops or self.job.t_stop is not None:
            return self.request
        write_text(self.folder / "stops.cir", stop_deck(self.request, stops), self.job.deck)
        answer = self._ngspice("stops", env)
        return replace(self.request, stops=read_stops(stops, answer.stdout))

    def _plots_alone(self, plots: Sequence[Waveforms]) -> dict[str, str]:
        """Raw file of each plot alone, by the plot's name: ngspice numbers the plots that it loads in a way of its own."""
        if len(plots) == 1 or not (self.request.measures or self.request.fourier):
            return {plot.name: _RAW for plot in plots}
        names = {}
        for number, (plot, part) in enumerate(zip(plots, split_raw(self.folder / _RAW), strict=True)):
            names[plot.name] = f"plot{number}.raw"
            (self.folder / names[plot.name]).write_bytes(part)
        return names

    def _measures(self, plots: Sequence[Waveforms], alone: dict[str, str], env: dict[str, str]) \
            -> tuple[dict[str, float], dict[str, str]]:
        """Values and failures of every measure on every plot of its analysis, named by the plot where they are several."""
        lost = lost_measures(self.request, plots)
        values, failed = dict.fromkeys(lost, math.nan), dict(lost)
        for analysis in dict.fromkeys(measure.analysis for measure in self.request.measures):
            cards = [measure for measure in self.request.measures if measure.analysis == analysis]
            places = [plot for plot in sorted(plots, key=lambda plot: plot.name) if kind_of(plot) == analysis]
            for plot in places if cards[0].name not in lost else ():
                some, bad = self._measured(cards, alone[plot.name], env)
                prefix = f"{plot.name}:" if len(places) > 1 or any(name in values for name in some) else ""
                values |= {f"{prefix}{name}": value for name, value in some.items()}
                failed |= {f"{prefix}{name}": why for name, why in bad.items()}
        return values, failed

    def _measured(self, cards: Sequence[MeasureCard], raw: str, env: dict[str, str]) -> tuple[dict[str, float], dict[str, str]]:
        """Values and failures of measures on one plot. One that ngspice cannot read would lose the others: those of a .control
        block, which may use what the block's own commands made, are then left aside."""
        answer = self._small(measure_deck(self.request, cards, raw), "measures", env, cards[0].analysis)
        if answer.returncode == 0:
            return read_measures(cards, answer.stdout, answer.stderr)
        lines = [line.strip() for line in answer.stderr.splitlines() if "rror" in line or "ndefined" in line]
        why = f"ngspice could not read the measures: {' / '.join(lines[:2])}"
        own = [card for card in cards if card.card.text.startswith(".")]
        some, bad = self._measured(own, raw, env) if own and len(own) < len(cards) else ({}, {})
        left = [card.name for card in cards if card.name not in some]
        return {**some, **dict.fromkeys(left, math.nan)}, {**bad, **dict.fromkeys(left, why)}

    def _tables(self, plots: Sequence[Waveforms], alone: dict[str, str], env: dict[str, str]) \
            -> tuple[list[Waveforms], dict[str, float]]:
        """Tables of the .four cards on every transient."""
        transients = [plot for plot in sorted(plots, key=lambda plot: plot.name) if kind_of(plot) == "tran"]
        tables: list[Waveforms] = []
        distortion: dict[str, float] = {}
        wanted = [(card, plot) for card in self.request.fourier for plot in transients]
        for number, (card, plot) in enumerate(wanted, 1):
            name = "four" if len(wanted) == 1 else f"four{number}"
            answer = self._small(fourier_deck(card, alone[plot.name]), "fourier", env, "tran")
            table, shares = read_fourier(name, card, answer.stdout)
            if table is None:
                error = next((line for line in answer.stderr.splitlines() if "rror" in line), "it printed no table")
                raise SimulationError(f"the simulation is good, [{card.card.text}] gave no table: {error.strip()}; correct or "
                                      "remove the card", kind=FailureKind.ENGINE_ERROR, deck=self.job.deck)
            tables.append(table)
            distortion |= {f"{name}: {vector}": share for vector, share in shares.items()}
        return tables, distortion

    def _small(self, text: str, what: str, env: dict[str, str], analysis: str) -> Finished:
        """A little deck of our own, run on the finished raw file."""
        write_text(self.folder / f"{what}.cir", text, self.job.deck)
        answer = self._ngspice(what, env)
        if answer.returncode < 0 or answer.ended != "itself":
            kind = {"itself": FailureKind.ENGINE_CRASH, "timeout": FailureKind.TIMEOUT, "stopped": FailureKind.KILLED}
            cards = ".meas" if what == "measures" else ".four"
            raise SimulationError(f"the simulation is good, its {analysis} {what} ended with exit code {answer.returncode}; "
                                  f"correct the {cards} cards", kind=kind[answer.ended], deck=self.job.deck,
                                  log_tail=tail(answer.stdout, answer.stderr, LOG_TAIL))
        return answer

    def _ngspice(self, what: str, env: dict[str, str]) -> Finished:
        job = replace(self.job, timeout=max(self.deadline - time.monotonic(), 0.01))
        return run_process([str(self.engine.path), "-n", "-b", f"{what}.cir"], job, folder=self.folder, env=env, stop=self.stop)


def _reporter(progress: Progress | None, t_stop: float | None) -> Callable[[bytes], None] | None:
    if progress is None or t_stop is None:
        return None
    rest = b""

    def report(chunk: bytes) -> None:
        nonlocal rest
        seen = list(_REFERENCE.finditer(rest + chunk))
        rest = (rest + chunk)[seen[-1].end():][-200:] if seen else (rest + chunk)[-200:]
        if seen:
            reached = float(seen[-1][1])
            progress(min(reached / t_stop, 1.0), reached)

    return report
