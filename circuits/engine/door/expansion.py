"""Expansion: how many elements a deck's subcircuits make, counted before ngspice copies them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from circuits.cards.card import Card, DeckFile
from circuits.errors import RejectedDeck

MAX_ELEMENTS = 20_000_000  # a network of 512 hidden neurons with every cell and wire has 2.4 million


def check_expansion(files: Sequence[DeckFile]) -> None:
    """Refuse a deck whose subcircuits would make more elements than fit into memory, or contain themselves.

    Branches of ``.if`` and sections of libraries all count, and of two subcircuits of one name the larger.

    Raises:
        RejectedDeck: names the subcircuit.
    """
    own: Counter[str] = Counter()
    uses: dict[str, Counter[str]] = {"": Counter()}
    cards: dict[str, Card] = {}
    for file in files:
        scopes = [""]
        for card in file.cards:
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
            else:
                own[scopes[-1]] += 1
    if len(uses) == 1:
        return
    counted: dict[str, int] = {}

    def count(name: str, above: tuple[str, ...]) -> int:
        if name not in counted:
            if name in above:
                trail = " > ".join([*above[1:], name])
                raise cards[name].reject(f"subcircuit {name} contains itself: {trail}; break the circle")
            if len(above) > 200:
                raise cards[name].reject("subcircuits lie more than 200 deep inside each other; flatten some")
            counted[name] = own[name] + sum(number * count(inner, (*above, name)) for inner, number in uses[name].items()
                                            if inner in uses)
        return counted[name]

    total = count("", ())
    if total > MAX_ELEMENTS:
        raise RejectedDeck(f"the deck expands to {total:.3g} elements, more than {MAX_ELEMENTS:.3g}; simulate a part of it",
                           file=files[0].path)


def _subcircuit(text: str) -> str:
    """Name of the subcircuit of an instance: the last word before its parameters."""
    words = text.lower().split("params:")[0].replace(" =", "=").split()
    end = next((number for number, word in enumerate(words) if "=" in word), len(words))
    return words[end - 1] if end > 0 else ""
