"""What `--docs` writes: the tables that a command printed, with the command itself, as a file of docs/results."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE


def write_docs(path: Path | None, title: str, tables: Sequence[MarkdownTable], *, engines: Sequence[str] | None = None) -> None:
    """Write the tables, or nothing where no file was asked for; call it last, so that a failed check writes nothing.

    Args:
        engines: simulators that ran, with their versions; None: ngspice.
    Raises:
        ResultsError: the file cannot be written.
    """
    if path is None:
        return
    engines = (NGSPICE.version(),) if engines is None else engines
    print(f"tables: {write_tables(path, title, tables, command=command_line(), engines=engines)}")


def command_line() -> str:
    """The command as its user typed it, e.g. "cosim corners --docs docs/results/corners.md"."""
    return shlex.join(["cosim", *sys.argv[1:]])
