"""Where two texts of one circuit part: card by card, comments and line breaks not looked at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import zip_longest

from circuits.cards.card import Card
from circuits.cards.number import spice_number


def first_difference(cards: Iterable[Card], others: Iterable[Card], *,
                     tolerance: float = 0.0) -> tuple[Card | None, Card | None] | None:
    """The first two cards that do not say the same, with None in the place of one that is missing; None where all do.

    Args:
        tolerance: what numbers may differ by, relative; the linear algebra of two machines does not give the same last digits.
    """
    for card, other in zip_longest(cards, others):
        if card is None or other is None or not _same(card.text, other.text, tolerance):
            return card, other
    return None


def _same(text: str, other: str, tolerance: float) -> bool:
    words, others = text.lower().split(), other.lower().split()
    return len(words) == len(others) and all(
        word == its or _close(word, its, tolerance) for word, its in zip(words, others, strict=True))


def _close(word: str, other: str, tolerance: float) -> bool:
    value, other_value = spice_number(word), spice_number(other)
    return None not in (value, other_value) and math.isclose(value, other_value, rel_tol=tolerance)
