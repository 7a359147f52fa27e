"""A request: what a checked deck asks the engine for, so that the answer can be held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from circuits.engine.cards import Card, DeckFile
from circuits.engine.whitelist import ANALYSES
from circuits.errors import RejectedDeck

_SCALES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "mil": 25.4e-6, "u": 1e-6, "n": 1e-9, "p": 1e-12,
           "f": 1e-15, "a": 1e-18}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.I)
_MEASURE = re.compile(r"\.?meas(?:ure)?\s+(\w+)\s+(\w+)\s", re.I)
_VECTOR = re.compile(r"[vi]\s*\([^()]*\)|\S+", re.I)
_CONTEXT = frozenset([".param", ".func", ".csparam", ".if", ".elseif", ".else", ".endif"])


@dataclass(frozen=True, kw_only=True)
class MeasureCard:
    """A ``.meas`` card: its analysis ("tran", "ac", "dc", ...), the name of its result, and the card."""

    analysis: str
    name: str
    card: Card


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the deck's top level asks for."""

    analyses: tuple[str, ...]  # "tran", "ac", ...
    t_stop: float | None  # s; None: no .tran, or its stop time is an expression
    saved: tuple[str, ...]  # vectors that .save names, without "all"
    measures: tuple[MeasureCard, ...]
    context: tuple[str, ...]  # parameters and functions that measures may use


def read_request(files: Sequence[DeckFile]) -> Request:
    """Walk the deck's top level, through its includes and library sections.

    Raises:
        RejectedDeck: no analysis, one of a kind twice, or a request inside a subcircuit.
    """
    analyses, saved, measures, context = [], [], [], []
    t_stop = None
    for card in [*_top_level(files), *files[0].control]:
        word = card.keyword
        if word in ANALYSES:
            if word[1:] in analyses:
                raise card.reject(f"a second {word}, of which ngspice would run one; remove it or make a deck of its own")
            analyses.append(word[1:])
            if word == ".tran":
                words = card.text.split()
                t_stop = spice_number(words[2]) if len(words) > 2 else None
        elif word == ".save":
            saved += [v for v in _VECTOR.findall(card.text[5:]) if v.lower() not in ("all", "allv", "alli")]
        elif word.startswith((".meas", "meas")):
            if not (parts := _MEASURE.match(card.text)):
                raise card.reject("incomplete measure; write '.meas tran name find v(out) at=1m'")
            measures.append(MeasureCard(analysis=parts[1].lower(), name=parts[2].lower(), card=card))
        elif word in _CONTEXT:
            context.append(card.text)
    if not analyses:
        raise RejectedDeck("the deck has no analysis; add e.g. '.tran 1u 1m'", file=files[0].path)
    return Request(analyses=tuple(analyses), t_stop=t_stop, saved=tuple(saved), measures=tuple(measures),
                   context=tuple(context))


def spice_number(text: str) -> float | None:
    """Value of a SPICE number such as "10u", "1meg" or "5ms"; None for an expression."""
    number = _NUMBER.fullmatch(text)
    if not number:
        return None
    return float(number[1]) * _SCALES.get((number[2] or "").lower(), 1.0)


def _top_level(files: Sequence[DeckFile]) -> Iterator[Card]:
    by_name = {file.relative: file for file in files}

    def walk(file: DeckFile, section: str | None, depth: int) -> Iterator[Card]:
        current = None
        for card in file.cards:
            words = card.text.split()
            word = words[0].lower()
            if word == ".lib" and len(words) == 2:
                current = words[1].lower()
            elif word == ".endl":
                current = None
            elif section is not None and current != section:
                continue
            elif word in (".include", ".inc", ".lib"):
                chosen = words[2].lower() if word == ".lib" else None
                yield from walk(by_name[words[1]], chosen, depth)
            elif word == ".subckt":
                depth += 1
            elif word == ".ends":
                depth -= 1
            elif not depth:
                yield card
            elif word in ANALYSES or word.startswith((".meas", ".save")):
                raise card.reject(f"{word} inside a .subckt asks for nothing; move it to the deck's top level")

    yield from walk(files[0], None, 0)
