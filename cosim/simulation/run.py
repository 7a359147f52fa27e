"""A run: a deck, where its results go, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosim.folder.deck_files import SUFFIXES


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


def result_name(deck: Path) -> str:
    """Name of a deck's results without their suffix: "a" for a.cir; else the whole name, so that a.cir and a.sp share none."""
    if deck.suffix == ".cir" and Path(deck.stem).suffix.lower() not in SUFFIXES:
        return deck.stem
    return deck.name if deck.suffix else f"{deck.name}.deck"
