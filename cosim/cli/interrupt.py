"""Ctrl-C and SIGTERM: a command ends with one line on what it leaves behind."""

from __future__ import annotations

import signal
import sys

import typer
from typer.core import TyperGroup

KEPT = "finished results are kept, run the same command to go on"
LEAVES = {"compile": "the folder of decks is as it was, run the same command again"}  # command: what is not KEPT


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a batch system sends it: ends the run as Ctrl-C does."""


class Commands(TyperGroup):
    """Says what an interrupt leaves behind; typer itself would end without a word."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as why:
            raise typer.Exit(ended(why, ctx.invoked_subcommand)) from None


def ended(why: KeyboardInterrupt, command: str | None = None) -> int:
    """Say what an interrupt leaves behind; returns the exit code, 128 and the signal's number."""
    word, number = ("terminated", signal.SIGTERM) if isinstance(why, Terminated) else ("interrupted", signal.SIGINT)
    print(f"cosim: {word}; {LEAVES.get(command, KEPT)}", file=sys.stderr)
    return 128 + number


def terminate(*_: object) -> None:
    """Handler of SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends at once
    raise Terminated
