"""SPICE numbers: digits with a scale suffix."""

from __future__ import annotations

import re

_SCALES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "mil": 25.4e-6, "u": 1e-6, "n": 1e-9, "p": 1e-12,
           "f": 1e-15, "a": 1e-18}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.I)


def spice_number(text: str) -> float | None:
    """Value of a SPICE number such as "10u", "1meg" or "5ms"; None for an expression."""
    number = _NUMBER.fullmatch(text)
    if not number:
        return None
    return float(number[1]) * _SCALES.get((number[2] or "").lower(), 1.0)
