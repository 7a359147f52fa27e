"""The steps from networks to a report; a step that is finished is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cosim.console import Console
from cosim.folder.compiled import CompiledNetwork
from cosim.simulation.decks import TIMEOUT, Run, simulate
from cosim.store.files import check_writable, content_key, is_current, is_text_current, read_frame, write_frame, write_text_key
from cosim.store.sources import source_key
from cosim.studies.base.board import StudyBoard, ensure_compiled
from cosim.studies.base.results import Results


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The steps of a study. Each has a key of its own inputs and of the code that does it, which is kept with its result.

    | step | result | made from |
    |---|---|---|
    | train | a checkpoint | it is done where there is none; its bytes are inputs of the next step |
    | compile | decks/<board>/ | network, calibration, cases, options; the compiler's code; the folder's own files |
    | simulate | vectors/<board>_<case>.parquet | the deck's text with all it includes; the engine's version |
    | compare | waveforms/<name>.parquet and its rows | keys of the vectors, weights; the comparing code |
    | report | report.html | rows, manifests; the drawing code |
    """

    results: Results
    console: Console
    workers: int = 2  # simulations at a time
    timeout: float = TIMEOUT  # s per deck
    force: bool = False  # simulate, compare and draw again what is current

    def compile(self, boards: Iterable[StudyBoard]) -> dict[str, CompiledNetwork]:
        """Every board compiled, by name.

        Raises:
            CosimError, circuits.errors.CircuitError: as :meth:`cosim.experiment.Experiment.compile`.
        """
        return {board.name: ensure_compiled(board, self.results.decks(board.name), self.console) for board in boards}

    def simulate(self, compiled: Mapping[str, CompiledNetwork], cases: Iterable[tuple[str, str]]) -> None:
        """Run the decks of cases in parallel; each result is stored as soon as it is there.

        Args:
            cases: (board, case), in the order in which they are started.
        Raises:
            circuits.errors.SimulationError, circuits.errors.SeveralFailed: decks that failed; the others are stored.
        """
        runs = [Run(deck=compiled[board].decks[case], vectors=self.results.vectors(board, case), label=f"{board} {case}")
                for board, case in cases]
        with self.console.bars() as bars:
            done = simulate(runs, workers=self.workers, timeout=self.timeout, force=self.force, progress=bars)
        self.console.say(f"simulated {len(done)} decks, {len(runs) - len(done)} were done before")

    def compare(self, name: str, inputs: Iterable[str | bytes], code: str,
                work: Callable[[], tuple[pd.DataFrame, Sequence[dict]]]) -> list[dict]:
        """Rows of a comparison, stored with its waveforms.

        Args:
            name: of the file in waveforms/.
            inputs: what is compared: keys of vectors, bytes of checkpoints.
            code: module of ``work``.
            work: gives the waveforms on the grid of their cases, and the rows.
        """
        path, key = self.results.waveforms(name), content_key([*inputs, source_key(code)])
        if self.force or not is_current(path, key):
            self.console.say(f"comparing {name}")
            frame, rows = work()
            write_frame(path, frame, key, rows=list(rows))
        return read_frame(path).attrs["rows"]

    def report(self, page: Path, inputs: Iterable[str | bytes], draw: Callable[[], object]) -> None:
        """Draw a page, unless it is current.

        Args:
            inputs: what the page shows, and the key of the code that draws it.
            draw: writes the page.
        Raises:
            ResultsError: the page's folder cannot be written; before anything is drawn.
        """
        check_writable(page.parent)
        key = content_key(inputs)
        if self.force or not is_text_current(page, key):
            self.console.say("drawing the report")
            draw()
            write_text_key(page, key)
        else:
            self.console.say("report is current")
