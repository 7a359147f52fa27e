"""The layout of ``runs/lorenz96``; a twin is a board, a phase is a case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosim.studies.base.results import Results
from cosim.studies.lorenz96.experiment import TRIM


@dataclass(frozen=True, kw_only=True)
class Lorenz96Results(Results):
    """Where everything of the Lorenz96 study is."""

    def vectors(self, board: str, case: str) -> Path:
        """All saved node voltages of a run; those of the trim run have the name of its board, which ends with the case's."""
        return super().vectors(board.removesuffix(f"_{TRIM}"), case)
