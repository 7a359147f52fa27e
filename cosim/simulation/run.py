"""A run: a deck and where its results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """A deck and where its waveforms go."""

    deck: Path
    vectors: Path  # Parquet, one column a saved vector, V and s; of several plots the chosen one
    label: str  # for progress
    plot: str | None = None  # name of the plot in ``vectors``, e.g. "ac"; None: the transient, else the first that has a scale

    @property
    def plots(self) -> Path:
        """Folder of all plots, Parquet by plot name; there only where a deck has several."""
        return self.vectors.with_suffix(".plots")

    @property
    def raw(self) -> Path:
        """ngspice's own raw file, where it is kept."""
        return self.vectors.with_suffix(".raw")
