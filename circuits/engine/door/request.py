"""A request: what a checked deck asks the engine for, so that the answer can be held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from circuits.cards.card import Card, DeckFile
from circuits.cards.number import spice_number
from circuits.engine.door.walk import walk_deck
from circuits.engine.door.whitelist import ANALYSES, is_plain, spelling
from circuits.errors import RejectedDeck

MEASURED = ("tran", "ac", "dc", "sp")  # analyses whose .meas ngspice knows

_MEASURE = re.compile(r"\.?meas\w*\s+(\w+)\s+(\w+)\b", re.I)
_VECTOR = re.compile(r"([vi])\s*\(([^()]*)\)|([^\s,]+)", re.I)
_WORD = re.compile(r"\{[^{}]*\}|'[^']*'|\"[^\"]*\"|[^\s,]+")
_PAR = re.compile(r"\bpar\s*\(", re.I)
_CONTEXT = frozenset([".param", ".func", ".csparam", ".if", ".elseif", ".else", ".endif"])


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """An analysis card: its kind ("tran", "ac", ...), and for a transient its stop time as written."""

    kind: str
    card: Card
    stop: str | None = None  # s, a number or an expression
    conditional: bool = False  # inside .if: it may not run


@dataclass(frozen=True, kw_only=True)
class MeasureCard:
    """A ``.meas`` card: its analysis ("tran", "ac", "dc", ...), the name of its result, and the card."""

    analysis: str
    name: str
    card: Card
    first_par: int = 0  # number of par(...) expressions on the cards before it, after which ngspice names their nodes


@dataclass(frozen=True, kw_only=True)
class FourierCard:
    """A ``.four`` card: fundamental as written and the vectors."""

    card: Card
    frequency: str  # Hz
    vectors: tuple[str, ...]
    first_par: int = 0  # as for a measure


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the deck's top level asks for."""

    runs: tuple[Analysis, ...]  # in the deck's order
    t_stop: float | None  # s, of the only .tran; None: no .tran or several, or its stop time is an expression
    saved: tuple[str, ...]  # vectors that .save names, without "all"
    measures: tuple[MeasureCard, ...]
    context: tuple[str, ...]  # parameters and functions that measures may use
    fourier: tuple[FourierCard, ...] = ()
    stops: Mapping[str, float] = field(default_factory=dict)  # s, of stop times that are expressions, once worked out

    def stop_time(self, run: Analysis) -> float | None:
        """Stop time [s] of a transient, None where it is not known."""
        return None if run.stop is None else self.stops.get(run.stop, spice_number(run.stop))

    def stop_expressions(self) -> list[str]:
        """Stop times of transients that are no numbers, as written, but for those that would not go into a deck of ours."""
        return list(dict.fromkeys(run.stop for run in self.runs if run.stop and spice_number(run.stop) is None
                                  and is_plain(run.stop.strip("'"))))

    @property
    def analyses(self) -> tuple[str, ...]:
        """Kinds of the analyses, in the deck's order."""
        return tuple(run.kind for run in self.runs)


def read_request(files: Sequence[DeckFile]) -> Request:
    """Walk the deck's top level, through its includes and library sections.

    Raises:
        RejectedDeck: every complaint: no analysis, a request inside a subcircuit, an incomplete measure or one twice.
    """
    runs, saved, measures, context, fourier = [], [], [], [], []
    complaints: list[RejectedDeck] = []
    pars = conditions = 0
    for card in [*_top_level(files, complaints), *files[0].control]:
        word = spelling(card.keyword)
        if word in ANALYSES:
            words = _WORD.findall(card.text)
            runs.append(Analysis(kind=word[1:], card=card, stop=words[2] if word == ".tran" and len(words) > 2 else None,
                                 conditional=conditions > 0))
        elif word == ".save":
            saved += _vectors(card.text[5:])
        elif word.startswith((".meas", "meas")):
            _read_measure(card, measures, pars, complaints)
        elif word == ".four":
            _read_fourier(card, fourier, pars, complaints)
        elif word in _CONTEXT:
            context.append(card.text)
            conditions += {".if": 1, ".endif": -1}.get(word, 0)
        if word in (".print", ".plot", ".meas", ".four"):
            pars += len(_PAR.findall(card.text))
    if not runs:
        complaints.append(RejectedDeck("the deck has no analysis; add e.g. '.tran 1u 1m'", file=files[0].path))
    if complaints:
        raise RejectedDeck.together(complaints)
    stops = [run.stop for run in runs if run.kind == "tran"]
    return Request(runs=tuple(runs), t_stop=spice_number(stops[0] or "") if len(stops) == 1 else None, saved=tuple(saved),
                   measures=tuple(measures), context=tuple(context), fourier=tuple(fourier))


def without_par(text: str, first: int) -> str:
    """A card's text with each par(...) replaced by the node that ngspice makes of it, ``pa_00``, ``pa_01``, ..."""
    parts, at = [], 0
    while found := _PAR.search(text, at):
        depth, end = 1, found.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        parts += [text[at:found.start()], f"v(pa_{first:02d})"]
        at, first = end, first + 1
    return "".join([*parts, text[at:]])


def _vectors(text: str) -> list[str]:
    """Names on a ``.save`` card; v(a,b) saves both nodes."""
    names: list[str] = []
    for kind, inside, bare in _VECTOR.findall(text.replace('"', " ")):
        if bare:
            names += [bare] if bare.lower() not in ("all", "allv", "alli") else []
        else:
            parts = [part.strip() for part in inside.split(",")]
            names += [f"{kind}({part})" for part in parts if part and (part != "0" or len(parts) == 1)]
    return names


def _read_measure(card: Card, measures: list[MeasureCard], pars: int, complaints: list[RejectedDeck]) -> None:
    if not (parts := _MEASURE.match(card.text)):
        complaints.append(card.reject("incomplete measure; write '.meas tran name find v(out) at=1m'"))
        return
    words = (parts[1].lower(), parts[2].lower())
    analysis, name = words if f".{words[0]}" in ANALYSES else ("", words[0])  # HSPICE lets the analysis out
    measure = MeasureCard(analysis=analysis, name=name, card=card, first_par=pars)
    if any((known.analysis, known.name) == (measure.analysis, measure.name) for known in measures):
        complaints.append(card.reject(f"measure {measure.name} is defined twice; rename one"))
    measures.append(measure)


def _read_fourier(card: Card, fourier: list[FourierCard], pars: int, complaints: list[RejectedDeck]) -> None:
    words = without_par(card.text, pars).split()
    vectors = re.findall(r"[a-z]\w*\([^()\s]*\)|[^\s,]+", " ".join(words[2:]), re.I)
    if len(words) < 3 or not all(re.fullmatch(r"[\w().,#+@\[\]:/-]+", word, re.ASCII) for word in [words[1], *vectors]):
        complaints.append(card.reject("incomplete, or vectors that are no plain names; write '.four 1k v(out)'"))
        return
    fourier.append(FourierCard(card=card, frequency=words[1], vectors=tuple(vectors), first_par=pars))


def _top_level(files: Sequence[DeckFile], complaints: list[RejectedDeck]) -> Iterator[Card]:
    depth = 0
    for card in walk_deck(files):
        word = card.keyword
        if word in (".subckt", ".macro"):
            depth += 1
        elif word in (".ends", ".eom"):
            depth -= 1
        elif not depth:
            yield card
        elif word in ANALYSES or word.startswith((".meas", ".save", ".four")):
            complaints.append(card.reject(f"{word} inside a .subckt asks for nothing; move it to the deck's top level"))
