"""What is in a deck: instances, devices and nodes, counted without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from circuits.cards.card import Card, read_cards
from circuits.cards.definition import Subcircuit, words_before_assignments
from circuits.errors import CircuitError

KINDS = {"r": "resistor", "c": "capacitor", "l": "inductor", "d": "diode", "m": "MOSFET", "q": "BJT", "j": "JFET",
         "v": "voltage source", "i": "current source", "b": "behavioural source", "e": "VCVS", "g": "VCCS", "f": "CCCS",
         "h": "CCVS", "s": "switch", "w": "switch", "t": "transmission line", "k": "coupling"}
_TERMINALS = {"r": 2, "c": 2, "l": 2, "d": 2, "m": 4, "q": 3, "j": 3, "v": 2, "i": 2, "b": 2, "e": 4, "g": 4, "f": 2,
              "h": 2, "s": 4, "w": 2, "t": 4, "k": 0}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a deck consists of, with its subcircuits expanded."""

    instances: Counter  # subcircuit name -> instances
    devices: Counter  # device letter -> elements
    nodes: int  # without ground
    depth: int  # levels of hierarchy


@dataclass
class _Scope:
    pins: tuple[str, ...] = ()
    cards: list[Card] = field(default_factory=list)


def inspect_deck(deck: Path) -> Contents:
    """Count blocks, devices and nodes of a deck and of everything it includes.

    Raises:
        CircuitError: an include or a subcircuit is missing; the message names it and the deck.
    """
    scopes = _read(deck)
    counted: dict[str, Contents] = {}

    def count(name: str, trail: tuple[str, ...]) -> Contents:
        if name in counted:
            return counted[name]
        if name not in scopes:
            raise CircuitError(f"{deck}: subcircuit {name!r} is used by {trail[-1]!r} and defined nowhere")
        if name in trail:
            raise CircuitError(f"{deck}: subcircuit {name!r} contains itself: {' > '.join([*trail, name])}")
        scope, instances, devices = scopes[name], Counter(), Counter()
        nodes, inner, depth = set(), 0, 0
        for card in scope.cards:
            letter, words = card.keyword[0], card.text.lower().split()
            if letter == "x":
                *words, called = words_before_assignments(card.text.lower())
                nodes.update(words[1:])
                child = count(called, (*trail, name))
                instances += child.instances + Counter({called: 1})
                devices += child.devices
                inner, depth = inner + child.nodes, max(depth, child.depth + 1)
            elif letter in _TERMINALS:
                nodes.update(words[1 : 1 + _TERMINALS[letter]])
                devices[letter] += 1
            else:
                raise CircuitError(f"{deck}: element {card.keyword!r} is of a kind that is not known here")
        own = len(nodes - set(scope.pins) - {"0", "gnd"})
        counted[name] = Contents(instances=instances, devices=devices, nodes=own + inner, depth=depth)
        return counted[name]

    return count("", ("deck",))


def _read(deck: Path) -> dict[str, _Scope]:
    scopes = {"": _Scope()}
    stack = [""]
    for card in _cards(deck, above=()):
        if card.keyword == ".subckt":
            head = Subcircuit.read(card)
            scopes[head.name] = _Scope(pins=head.pins)
            stack.append(head.name)
        elif card.keyword == ".ends":
            if len(stack) == 1:
                raise card.reject(".ends closes no .subckt; remove it")
            stack.pop()
        elif not card.keyword.startswith("."):
            scopes[stack[-1]].cards.append(card)
    return scopes


def _cards(path: Path, *, above: tuple[Path, ...]) -> Iterator[Card]:
    """Cards of a deck, or of a file that it includes, and of the files included by that; control blocks are left out."""
    if path.resolve() in above:
        raise CircuitError(f"{path} includes itself")
    if not path.is_file():
        raise CircuitError(f"{path} does not exist" + (f"; included by {above[-1]}" if above else "; name a deck"))
    control = False
    for card in read_cards(path, is_deck=not above)[1]:
        if card.keyword in (".control", ".endc"):
            control = card.keyword == ".control"
        elif card.keyword in (".include", ".inc") and not control:
            words = card.text.split(maxsplit=1)
            if len(words) < 2:
                raise card.reject("an include names a file; write '.include file'")
            yield from _cards(path.parent / words[1].strip("'\""), above=(*above, path.resolve()))
        elif card.keyword != ".end" and not control:
            yield card
