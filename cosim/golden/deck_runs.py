"""Decks run by the project's engine, each content once."""

from __future__ import annotations

import os
from pathlib import Path

from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.run import run
from circuits.engine.waveforms import Waveforms
from circuits.errors import CircuitError, FailureKind, RejectedDeck, SimulationError
from cosim.simulation.decks import deck_key

TIMEOUT = 600.0  # s, wall clock
PASSING = frozenset([FailureKind.KILLED, FailureKind.MEMORY, FailureKind.DISK_FULL])  # may be gone at the next attempt


class DeckRuns:
    """Runs decks and remembers what each gave, by its text, that of its includes, and the engine.

    A failure is remembered with its time limit, so that twenty tests of a deck that does not converge wait for it once.
    """

    def __init__(self) -> None:
        self._waveforms: dict[tuple, Waveforms] = {}
        self._failures: dict[tuple, SimulationError] = {}

    def __call__(self, path: str | os.PathLike[str], timeout: float = TIMEOUT) -> Waveforms:
        """Waveforms of the deck's transient, or of its only analysis.

        The same deck gives the same object, whose data is read-only.

        Args:
            path: the deck (.cir); a relative path is looked for in the working folder.
            timeout: [s], wall clock of the simulation.
        Raises:
            SimulationError: ngspice is missing, the deck is refused, or its run is not to be believed.
            CircuitError: several analyses and not one transient.
        """
        __tracebackhide__ = True
        deck = Path(path)
        if not deck.is_file():
            raise RejectedDeck(f"no such deck; a relative path is looked for in the working folder, {Path.cwd()}, so write "
                               f"Path(__file__).parent / {deck.name!r} for a deck beside the test", file=deck.absolute())
        try:
            return self._run(deck, timeout)
        except CircuitError as error:
            raise error.with_traceback(None) from error.__cause__  # the engine's frames say nothing about the deck

    def _run(self, deck: Path, timeout: float) -> Waveforms:
        __tracebackhide__ = True
        key = (find_engine().path, deck_key(deck))
        if key in self._waveforms:
            return self._waveforms[key]
        if (*key, timeout) in self._failures:
            raise self._failures[*key, timeout]
        try:
            self._waveforms[key] = run(Job(deck=deck, timeout=timeout)).waveforms
        except SimulationError as error:
            if error.kind not in PASSING:
                self._failures[*key, timeout] = error
            raise
        return self._waveforms[key]
