"""Deck files: which files of a folder are decks, and what their results are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".cir", ".ckt", ".cki", ".circ", ".deck", ".net", ".nsp", ".sp", ".spi", ".spice")


def decks_in(folder: Path) -> list[Path]:
    """Files of a folder that have a deck's suffix, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def result_name(deck: Path) -> str:
    """Name of a deck's results without their suffix: "a" for a.cir; else the whole name, so that a.cir and a.sp share none."""
    if deck.suffix == ".cir" and Path(deck.stem).suffix.lower() not in SUFFIXES:
        return deck.stem
    return deck.name if deck.suffix else f"{deck.name}.deck"


def without_included(decks: Sequence[Path], included: Sequence[Path]) -> list[Path]:
    """Decks of a folder that no other one includes: a library with a deck's suffix is none."""
    inside = {path.resolve() for path in included}
    return [deck for deck in decks if deck.resolve() not in inside]
