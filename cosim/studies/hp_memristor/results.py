"""The layout of ``runs/hp_memristor``; a drive is a board, a stimulus is a case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosim.folder.manifest import MANIFEST_NAME
from cosim.studies.base.results import Results
from training.systems.hp_memristor import DRIVES


@dataclass(frozen=True, kw_only=True)
class HPResults(Results):
    """Where everything of the HP study is."""

    def second_opinion(self, drive: str) -> Path:
        """Reduced decks and both engines' results of them."""
        return self.root / "second_opinion" / drive

    @property
    def is_there(self) -> bool:
        """Whether the folder holds the decks of this study."""
        return all((self.decks(drive) / MANIFEST_NAME).is_file() for drive in DRIVES)


def waveforms_name(drive: str, stimulus: str) -> str:
    """Of the file in waveforms/ that holds the comparison: time, stimulus, truth, reference, twin."""
    return f"{drive}_{stimulus}"
