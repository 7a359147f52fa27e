"""The layout of ``runs/lorenz96``; a twin is a board, a phase is a case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosim.folder.manifest import MANIFEST_NAME
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.experiment import TRIM


@dataclass(frozen=True, kw_only=True)
class Lorenz96Results(Results):
    """Where everything of the Lorenz96 study is."""

    def vectors(self, board: str, case: str) -> Path:
        """All saved node voltages of a run; those of the trim run have the name of its board, which ends with the case's."""
        return super().vectors(board.removesuffix(f"_{TRIM}"), case)

    @property
    def is_there(self) -> bool:
        """Whether the folder holds the decks of this study, by the boards on which lags were measured."""
        return any((folder / MANIFEST_NAME).is_file() for folder in self.decks("").glob(f"f*_seed*_{TRIM}"))
