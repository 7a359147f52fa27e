"""The layout of a study's results folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Results:
    """Where everything of a study is; programs that read our results rely on these paths."""

    root: Path

    def decks(self, board: str) -> Path:
        """The compiled folder of a board."""
        return self.root / "decks" / board

    def vectors(self, board: str, case: str) -> Path:
        """All saved node voltages of a run [V], over circuit time [s]."""
        return self.root / "vectors" / f"{board}_{case}.parquet"

    def waveforms(self, name: str) -> Path:
        """A comparison on the grid of its case, model units."""
        return self.root / "waveforms" / f"{name}.parquet"

    @property
    def figures(self) -> Path:
        """Folder of the report's pictures, PNG."""
        return self.root / "figures"

    @property
    def metrics(self) -> Path:
        """The errors as numbers."""
        return self.root / "metrics.json"

    @property
    def report(self) -> Path:
        """The page, with its pictures inside."""
        return self.root / "report.html"
