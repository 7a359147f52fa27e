"""The walk through a checked deck: its cards in the order in which ngspice has them, includes and library sections in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from circuits.cards.card import Card, DeckFile


def in_order(file: DeckFile) -> Sequence[Card]:
    """Every card of a file; ``.four`` cards, which ngspice does not get, stand in their place too."""
    if not file.fourier:
        return file.cards
    return sorted({id(card): card for card in (*file.cards, *file.fourier)}.values(), key=lambda card: card.line)


def section_edge(card: Card) -> str | None:
    """The section of a library that a checked card begins, "" where it ends one, None for every other card."""
    text = card.text
    if text[0] != "." or text[1:2] not in "lLeE":
        return None
    words = text.split(None, 2)
    if words[0].lower() == ".endl":
        return ""
    return words[1].lower() if words[0].lower() == ".lib" and len(words) == 2 else None


def included(card: Card) -> tuple[str, str | None] | None:
    """The file that a checked card includes, and of a library the section; None for a card that includes nothing."""
    text = card.text
    if text[0] != "." or text[1:2] not in "iIlL":
        return None
    word, *names = text.split(None, 3)
    if word.lower() == ".lib" and len(names) == 2:
        return names[0], names[1].lower()
    return (names[0], None) if word.lower() in (".include", ".inc") else None


def walk_deck(files: Sequence[DeckFile]) -> Iterator[Card]:
    """Every card but those that include, or begin or end a section; of a library the chosen section alone.

    Args:
        files: as ``guard.check_deck`` gives them, the deck first.
    """
    by_name = {file.relative: file for file in files}
    libraries: dict[str, dict[str, list[Card]]] = {}  # by section, so that a library is looked through once

    def walk(name: str, section: str | None) -> Iterator[Card]:
        if section is None:
            cards = in_order(by_name[name])
        else:
            if name not in libraries:
                libraries[name] = _by_section(by_name[name])
            cards = libraries[name].get(section, ())
        for card in cards:
            if card.text[0] != ".":
                yield card
            elif target := included(card):
                yield from walk(*target)
            elif section_edge(card) is None:
                yield card

    yield from walk(files[0].relative, None)


def _by_section(file: DeckFile) -> dict[str, list[Card]]:
    parts: dict[str, list[Card]] = {}
    section = ""
    for card in in_order(file):
        edge = section_edge(card)
        section = section if edge is None else edge
        if section and edge is None:
            parts.setdefault(section, []).append(card)
    return parts
