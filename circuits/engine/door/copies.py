"""Copies: how much text a deck becomes once every include is copied to its place, as ngspice does, counted before it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from circuits.cards.card import Card, DeckFile
from circuits.engine.door.walk import in_order, included, section_edge
from circuits.errors import RejectedDeck

MAX_EXPANDED = 256 * 2**20  # bytes once every include is copied to its place
MAX_DEPTH = 40  # includes inside each other

_Place = tuple[str, str | None]  # a file, and the section of it that is copied; None: the whole file


def check_copies(files: Sequence[DeckFile]) -> None:
    """Refuse a deck whose includes contain themselves, lie too deep inside each other, or make too much text.

    A section of a library may use another section of its own file, which foundries' libraries do.

    Args:
        files: checked, the deck first.
    Raises:
        RejectedDeck: names the file, and for a circle the card that closes it.
    """
    by_name = {file.relative: file for file in files}
    own = {file.relative: _own(file) for file in files}
    measured: dict[_Place, tuple[int, int]] = {}

    def measure(place: _Place, above: tuple[_Place, ...]) -> tuple[int, int]:
        """Bytes of a place with all its includes, and how many levels of them it has."""
        if place in measured:
            return measured[place]
        file = by_name[place[0]]
        size, links = own[place[0]].get(place[1], (0, []))
        levels = 0
        for card, inner in links:
            if inner in (*above, place):
                raise card.reject(f"{by_name[inner[0]].path.name} includes itself; break the circle")
            inner_size, inner_levels = (0, MAX_DEPTH) if len(above) >= MAX_DEPTH else measure(inner, (*above, place))
            size, levels = size + inner_size, max(levels, inner_levels + 1)
            if size > MAX_EXPANDED:
                raise RejectedDeck(f"with every include copied to its place the deck has more than {MAX_EXPANDED >> 20} MiB; "
                                   "include each file once", file=file.path)
            if levels > MAX_DEPTH:
                raise RejectedDeck(f"includes lie more than {MAX_DEPTH} deep inside each other; include the file from the "
                                   "deck", file=file.path)
        measured[place] = (size, levels)
        return size, levels

    measure((files[0].relative, None), ())


def _own(file: DeckFile) -> dict[str | None, tuple[int, list[tuple[Card, _Place]]]]:
    """Of the whole file and of each section: bytes as the file is written, and the places that it includes."""
    sizes: Counter[str | None] = Counter()
    links: dict[str | None, list[tuple[Card, _Place]]] = {None: []}
    section, line, size = None, 0, 0
    for card in in_order(file):
        size += len(card.text) + 2 * (card.line - line)  # a line that holds no card is written too, as "*"
        line = card.line
        if (edge := section_edge(card)) is not None:
            sizes[section] += size
            section, size = edge or None, 0
        elif target := included(card):
            links[None].append((card, target))
            if section is not None:
                links.setdefault(section, []).append((card, target))
    sizes[section] += size
    whole = sum(sizes.values())
    return {name: (whole if name is None else sizes[name], links.get(name, [])) for name in (None, *sizes)}
