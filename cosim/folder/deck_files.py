"""The decks that a user names: one file, or those of a folder."""

from __future__ import annotations

from pathlib import Path

from circuits.engine.door.guard import check_deck
from circuits.errors import RejectedDeck
from cosim.errors import ResultsError

SUFFIXES = (".cir", ".ckt", ".cki", ".circ", ".deck", ".net", ".nsp", ".sp", ".spi", ".spice")


def decks_of(target: Path) -> list[Path]:
    """The deck itself, or the decks of a folder: those that its manifest names, else every file with a deck's suffix that no
    other one includes.

    Raises:
        ResultsError: there is nothing of that name, or no deck in it.
    """
    if target.is_file():
        return [target]
    if not target.is_dir():
        raise ResultsError(f"{target} does not exist; name a deck (.cir) or a folder of decks")
    from cosim.folder.manifest import (  # loads torch, which takes seconds; a deck of one's own needs none of it
        MANIFEST_NAME,
        read_manifest,
    )

    if (target / MANIFEST_NAME).is_file():
        return [target / f"{name}.cir" for name in read_manifest(target).cases]
    decks = sorted(path for path in target.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not decks:
        raise ResultsError(f"{target} holds no .cir deck, nor one that ends in {', '.join(SUFFIXES[1:])}; compile a network "
                           "into it, or name another folder")
    included = {path.resolve() for deck in decks for path in _included(deck)}
    return [deck for deck in decks if deck.resolve() not in included]


def _included(deck: Path) -> list[Path]:
    try:
        return [file.path for file in check_deck(deck)[1:]]
    except RejectedDeck:  # said when the deck is to be simulated
        return []
