"""Opening a deck: both looks at it before it runs, what may not be in it and what it asks for."""

from __future__ import annotations

from pathlib import Path

from circuits.cards.card import DeckFile
from circuits.engine.door.expansion import check_expansion
from circuits.engine.door.guard import check_deck
from circuits.engine.door.request import Request, read_request


def open_deck(path: Path) -> tuple[list[DeckFile], Request]:
    """A deck's checked files, the deck first, and its request.

    Raises:
        RejectedDeck: every complaint about the deck.
    """
    files = check_deck(path)
    check_expansion(files)
    return files, read_request(files)
