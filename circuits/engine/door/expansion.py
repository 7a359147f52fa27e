"""Expansion: how many cards a deck's subcircuits make, counted before ngspice copies them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from circuits.cards.card import Card, DeckFile
from circuits.engine.door.walk import walk_deck
from circuits.errors import RejectedDeck

MAX_CARDS = 20_000_000  # a network of 512 hidden neurons with every cell and wire has 2.4 million
MAX_LEVELS = 200  # subcircuits inside each other
LONG = 100  # letters; a longer card counts as several


def check_expansion(files: Sequence[DeckFile]) -> None:
    """Refuse a deck whose subcircuits would make more cards than fit into memory, or contain themselves.

    Branches of ``.if`` all count, and subcircuits of one name count together.

    Raises:
        RejectedDeck: names the subcircuit.
    """
    own: Counter[str] = Counter()
    uses: dict[str, Counter[str]] = {"": Counter()}
    cards: dict[str, Card] = {}
    scopes = [""]
    for number, card in enumerate(walk_deck(files)):
        first = card.text[0]
        if first == ".":
            word = card.keyword
            if word in (".subckt", ".macro"):
                name = (card.text.split(None, 2)[1:2] or [""])[0].lower()
                cards[name] = card
                scopes.append(name)
                uses.setdefault(name, Counter())
            elif word in (".ends", ".eom") and len(scopes) > 1:
                scopes.pop()
        elif first in "xX":
            uses[scopes[-1]][_subcircuit(card.text)] += 1
        own[scopes[-1]] += 1 + len(card.text) // LONG
        if number > MAX_CARDS:
            raise _too_many(number, files)
    if len(uses) == 1:
        return
    counted: dict[str, tuple[int, int]] = {}

    def count(name: str, above: tuple[str, ...]) -> tuple[int, int]:
        """Cards of a subcircuit with everything in it, and how many levels of subcircuits it has."""
        if name in above:
            trail = " > ".join([*above[1:], name])
            raise cards[name].reject(f"subcircuit {name} contains itself: {trail}; break the circle")
        if name not in counted and len(above) <= MAX_LEVELS:
            total, levels = own[name], 0
            for inner, number in uses[name].items():
                if inner in uses:
                    inner_total, inner_levels = count(inner, (*above, name))
                    total, levels = total + number * (1 + inner_total), max(levels, inner_levels + 1)
            counted[name] = (total, levels)
        if len(above) > MAX_LEVELS or len(above) + counted[name][1] > MAX_LEVELS:
            raise cards[name].reject(f"subcircuits lie more than {MAX_LEVELS} deep inside each other; flatten some")
        return counted[name]

    total, _ = count("", ())
    if total > MAX_CARDS:
        raise _too_many(total, files)


def _too_many(total: int, files: Sequence[DeckFile]) -> RejectedDeck:
    return RejectedDeck(f"the deck expands to {total:.3g} cards, more than {MAX_CARDS:.3g}; simulate a part of it",
                        file=files[0].path)


def _subcircuit(text: str) -> str:
    """Name of the subcircuit of an instance: the last word before its parameters."""
    words = text.lower().split("params:")[0].replace(" =", "=").split()
    end = next((number for number, word in enumerate(words) if "=" in word), len(words))
    return words[end - 1] if end > 0 else ""
