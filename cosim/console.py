"""What a user sees while work goes on: lines, and bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from circuits.errors import printable

Progress = Callable[[str, float], None]  # label of a job, part of it that is done
# columns of words, not figures
WORDS = ("drive", "stimulus", "block", "what", "phase", "part", "property", "condition", "source",
         "device", "origin", "models")


class Console:
    """Progress on a terminal; plain lines, a few a job, where the output is a file or a pipe."""

    def __init__(self, quiet: bool = False, width: int = 140) -> None:
        """``width``: columns of a file or a pipe; a terminal has its own."""
        self._rich = RichConsole(quiet=quiet, highlight=False, width=None if sys.stdout.isatty() else width)

    def say(self, text: str) -> None:
        """One line."""
        self._rich.print(printable(text), markup=False)

    def table(self, frame: pd.DataFrame, title: str) -> None:
        """A frame of text cells."""
        table = Table(title=escape(title), title_justify="left")
        for column in frame.columns:
            table.add_column(escape(column), justify="left" if column in WORDS else "right")
        for row in frame.itertuples(index=False):
            table.add_row(*(escape(printable(str(cell))) for cell in row))
        self._rich.print(table)

    @contextmanager
    def bar(self, name: str) -> Iterator[Callable[[str, int, int, float], None]]:
        """A bar a model for training: called with (model, step, total, loss)."""
        if not self._rich.is_terminal:
            quarters: dict[str, int] = {}

            def plain(model: str, done: int, total: int, loss: float) -> None:
                if 4 * done // total > quarters.get(model, 0):
                    quarters[model] = 4 * done // total
                    self.say(f"{name}, {model}: {25 * quarters[model]} %, L1 {loss:.2e}")

            yield plain
            return
        with self._progress() as progress:
            tasks: dict[str, TaskID] = {}

            def step(model: str, done: int, total: int, loss: float) -> None:
                if model not in tasks:
                    tasks[model] = progress.add_task(model, total=total)
                progress.update(tasks[model], completed=done, description=f"{name}, {model}, L1 {loss:.2e}")

            yield step

    @contextmanager
    def bars(self) -> Iterator[Callable[[str, float], None]]:
        """A bar a job: called with (name, part done)."""
        if not self._rich.is_terminal:
            quarters: dict[str, int] = {}

            def plain(name: str, part: float) -> None:
                quarter = int(4 * part)
                if quarter > quarters.get(name, -1):
                    quarters[name] = quarter
                    self.say(f"{name}: {'started' if part == 0 else 'done' if part >= 1 else f'{25 * quarter} %'}")

            yield plain
            return
        with self._progress() as progress:
            tasks: dict[str, TaskID] = {}

            def update(name: str, part: float) -> None:
                if name not in tasks:
                    tasks[name] = progress.add_task(name, total=1.0)
                progress.update(tasks[name], completed=part)

            yield update

    @contextmanager
    def overall(self, name: str, total: int) -> Iterator[Callable[[str, float], None]]:
        """One bar for many jobs: called with (job, part done), counts what is done of ``total``."""
        if not self._rich.is_terminal:
            done: set[str] = set()

            def plain(job: str, part: float) -> None:
                if part >= 1 and job not in done:
                    done.add(job)
                    self.say(f"{name}: {len(done)} of {total} done, {job}")

            yield plain
            return
        with self._progress() as progress:
            task = progress.add_task(name, total=total)
            parts: dict[str, float] = {}

            def update(job: str, part: float) -> None:
                parts[job] = part
                progress.update(task, completed=sum(parts.values()))

            yield update

    def _progress(self) -> RichProgress:
        return RichProgress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                        TimeElapsedColumn(), console=self._rich)
