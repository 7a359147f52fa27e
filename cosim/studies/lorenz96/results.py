"""The layout of ``runs/lorenz96``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosim.studies.lorenz96.experiment import Twin


@dataclass(frozen=True, kw_only=True)
class Lorenz96Results:
    """Where everything of a study is."""

    root: Path

    def decks(self, twin: Twin) -> Path:
        return self.root / "decks" / twin.name

    def trim_decks(self, twin: Twin) -> Path:
        """The board without a lead capacitor, on which the loop's lag is measured."""
        return self.root / "decks" / f"{twin.name}_trim"

    def vectors(self, twin: Twin, case: str) -> Path:
        """All saved node voltages of a run."""
        return self.root / "vectors" / f"{twin.name}_{case}.parquet"

    def waveforms(self, twin: Twin) -> Path:
        """Time, phase, truth, reference, twin; the reference seed's file has the forcing's name alone."""
        return self.root / "waveforms" / f"{twin.forcing if twin.reference else twin.name}.parquet"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"
