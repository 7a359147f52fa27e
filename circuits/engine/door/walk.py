"""The walk through a checked deck: its cards in the order in which ngspice has them, includes and library sections in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from circuits.cards.card import Card, DeckFile


def walk_deck(files: Sequence[DeckFile]) -> Iterator[Card]:
    """Every card but those that include; of a library the chosen section alone. ``.four`` cards stand in their place.

    Args:
        files: as ``guard.check_deck`` gives them, the deck first.
    """
    by_name = {file.relative: file for file in files}

    def walk(file: DeckFile, section: str | None) -> Iterator[Card]:
        current = None
        cards = file.cards
        if file.fourier:
            cards = sorted({id(card): card for card in (*file.cards, *file.fourier)}.values(), key=lambda card: card.line)
        for card in cards:
            if card.text[0] == ".":
                words = card.text.split(None, 3)
                word = words[0].lower()
                if word == ".lib" and len(words) == 2:
                    current = words[1].lower()
                    continue
                if word == ".endl":
                    current = None
                    continue
                if word in (".include", ".inc", ".lib"):
                    if section is None or current == section:
                        yield from walk(by_name[words[1]], words[2].lower() if word == ".lib" else None)
                    continue
            if section is None or current == section:
                yield card

    yield from walk(files[0], None)
