"""Where two texts of one circuit differ, card by card; comments and line breaks do not count."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import zip_longest

from circuits.cards.card import Card
from circuits.cards.number import spice_number


def first_difference(cards: Iterable[Card], others: Iterable[Card], *,
                     tolerance: float = 0.0) -> tuple[Card | None, Card | None] | None:
    """The first pair of cards that say different things, with None in place of a missing card; None if all say the same.

    Args:
        tolerance: relative difference that numbers may have, because linear algebra differs in its last digits between
            machines.
    """
    for card, other in zip_longest(cards, others):
        if card is None or other is None or not _same(card.text, other.text, tolerance):
            return card, other
    return None


def _same(text: str, other: str, tolerance: float) -> bool:
    words, others = text.lower().split(), other.lower().split()
    return len(words) == len(others) and all(
        word == other_word or _close(word, other_word, tolerance) for word, other_word in zip(words, others, strict=True))


def _close(word: str, other: str, tolerance: float) -> bool:
    value, other_value = spice_number(word), spice_number(other)
    return None not in (value, other_value) and math.isclose(value, other_value, rel_tol=tolerance)
