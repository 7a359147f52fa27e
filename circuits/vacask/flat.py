"""A checked deck without its hierarchy: every element with the full names of its nodes, and parameters as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from circuits.cards.card import Card, DeckFile
from circuits.cards.definition import Model, Subcircuit, assignments, words_before_assignments
from circuits.vacask.expression import UnknownExpression, evaluate

MAX_DEPTH = 40  # subcircuits inside each other
_READ_ELSEWHERE = frozenset(".save .meas .measure .tran .model .end".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """One device. ``rest`` is the text after its nodes; ``names`` holds the parameters that the text may use."""

    card: Card
    path: str  # e.g. "xboard.xint0.r_in"; its first letter after the last dot is the kind
    nodes: tuple[str, ...]  # full names, "0" is ground
    rest: str
    names: Mapping[str, float]
    scope: str  # path of the subcircuit that it is in, with its dot; "" at top level
    pins: Mapping[str, str]  # pin of that subcircuit -> full name of the node that it is connected to

    @property
    def kind(self) -> str:
        return self.card.keyword[0]

    def node(self, name: str) -> str:
        """Full name of a node that the element's expression names."""
        return _node(name, self.scope, self.pins)

    def value(self, text: str) -> float:
        """Value of a text in the element's own parameters; RejectedDeck where it has none."""
        return number(self.card, text, self.names)

    def assignments(self, text: str | None = None) -> dict[str, float]:
        """``name=value`` pairs of the element, with their values as numbers."""
        return {name: self.value(value) for name, value in assignments(self.rest if text is None else text).items()}


@dataclass(kw_only=True)
class Flat:
    """The circuit: its elements, its models with the cards that define them, its options and its global parameters."""

    elements: list[Element] = field(default_factory=list)
    models: list[tuple[Card, Model]] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    names: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Body:
    head: Subcircuit
    cards: tuple[Card, ...]


_PINS = {"r": 2, "c": 2, "d": 2, "v": 2, "i": 2, "b": 2, "g": 4, "e": 4, "m": 4}


def flatten(files: Sequence[DeckFile]) -> Flat:
    """Expand includes and subcircuits, and evaluate parameters.

    Raises:
        RejectedDeck: a card or an element that the second engine's netlist has no word for; the message names file and line.
    """
    flat, definitions = Flat(), {}
    top = _definitions(_lines({file.relative: file for file in files}, files[0]), definitions)
    for card in top:
        if card.keyword == ".model":
            flat.models.append((card, Model.read(card)))
        elif card.keyword.startswith(".opt"):
            flat.options |= {name: value for name, _, value in
                             (word.partition("=") for word in re.sub(r"\s*=\s*", "=", card.text.lower()).split()[1:])}
    _expand(flat, definitions, top, scope="", pins={}, names=flat.names, depth=0)
    return flat


def number(card: Card, text: str, names: Mapping[str, float]) -> float:
    """Value of a text on a card; RejectedDeck where it is not known."""
    try:
        return evaluate(text.lower(), names)
    except UnknownExpression as unknown:
        raise card.reject(f"the second engine cannot work out {unknown}; write a number or a simple expression") from unknown


def _lines(files: Mapping[str, DeckFile], file: DeckFile) -> Iterator[Card]:
    for card in file.cards:
        if card.keyword in (".include", ".inc"):
            yield from _lines(files, files[card.text.split()[1]])
        elif card.keyword in (".lib", ".endl"):
            raise card.reject("the second engine reads no library sections; use .include")
        else:
            yield card


def _definitions(cards: Iterator[Card], definitions: dict[str, _Body]) -> list[Card]:
    """Top-level cards; subcircuits are put into ``definitions``."""
    top: list[Card] = []
    for card in cards:
        if card.keyword != ".subckt":
            top.append(card)
            continue
        inside: list[Card] = []
        for inner in cards:
            if inner.keyword == ".ends":
                break
            if inner.keyword in (".subckt", ".model"):
                raise inner.reject("the second engine reads subcircuits and models at the top level only; move it there")
            inside.append(inner)
        head = Subcircuit.read(card)
        definitions[head.name] = _Body(head=head, cards=tuple(inside))
    return top


def _expand(flat: Flat, definitions: Mapping[str, _Body], cards: Sequence[Card], *, scope: str,
            pins: Mapping[str, str], names: dict[str, float], depth: int) -> None:
    for card in cards:
        if card.keyword == ".param":
            for name, value in assignments(card.text).items():
                names[name] = number(card, value, names)
        elif card.keyword.startswith(".") and card.keyword not in _READ_ELSEWHERE and not card.keyword.startswith(".opt"):
            raise card.reject(f"the second engine has no word for {card.keyword}; take it out to have a second opinion")
    for card in cards:
        if card.keyword.startswith("."):
            continue
        kind = card.keyword[0]
        if kind == "x":
            _expand_instance(flat, definitions, card, scope=scope, pins=pins, names=names, depth=depth)
            continue
        if kind not in _PINS:
            raise card.reject(f"the second engine has no word for element {card.keyword}; known are "
                              f"{' '.join(sorted(_PINS))} and x")
        words = card.text.split(None, 1 + _PINS[kind])
        if len(words) < 2 + _PINS[kind]:
            raise card.reject(f"element {card.keyword} has {_PINS[kind]} nodes and a value; complete it")
        flat.elements.append(Element(
            card=card, path=scope + card.keyword, nodes=tuple(_node(word, scope, pins) for word in words[1:-1]),
            rest=words[-1], names=names, scope=scope, pins=pins))


def _expand_instance(flat: Flat, definitions: Mapping[str, _Body], card: Card, *, scope: str, pins: Mapping[str, str],
                     names: Mapping[str, float], depth: int) -> None:
    words = words_before_assignments(card.text)
    body = definitions.get(words[-1].lower())
    if body is None or len(body.head.pins) != len(words) - 2:
        raise card.reject(f"no subcircuit {words[-1]} with {len(words) - 2} pins; define it at the top level")
    if depth > MAX_DEPTH:
        raise card.reject("subcircuits call each other in a circle; break it")
    given = {name: number(card, value, names) for name, value in assignments(card.text).items()}
    inner = dict(flat.names)
    for name, value in body.head.parameters.items():
        inner[name] = given[name] if name in given else number(card, value, inner)
    if unknown := set(given) - set(body.head.parameters):
        raise card.reject(f"subcircuit {words[-1]} has no parameter {', '.join(sorted(unknown))}")
    outside = dict(zip(body.head.pins, (_node(word, scope, pins) for word in words[1:-1]), strict=True))
    _expand(flat, definitions, body.cards, scope=f"{scope}{card.keyword}.", pins=outside, names=inner, depth=depth + 1)


def _node(name: str, scope: str, pins: Mapping[str, str]) -> str:
    name = name.lower()
    if name in ("0", "gnd"):
        return "0"
    return pins.get(name, scope + name)
