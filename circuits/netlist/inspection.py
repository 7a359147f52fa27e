"""What is in a deck: instances, devices and nodes, counted without running it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from circuits.cards.card import Card
from circuits.cards.definition import Subcircuit, words_before_assignments
from circuits.engine.door.guard import check_deck
from circuits.engine.door.walk import walk_deck
from circuits.errors import CircuitError

KINDS = {"a": "code model", "r": "resistor", "c": "capacitor", "l": "inductor", "d": "diode", "m": "MOSFET", "q": "BJT",
         "j": "JFET",
         "v": "voltage source", "i": "current source", "b": "behavioural source", "e": "VCVS", "g": "VCCS", "f": "CCCS",
         "h": "CCVS", "s": "switch", "w": "switch", "t": "transmission line", "o": "lossy line",
         "p": "coupled lines", "y": "lossy line",
         "u": "RC line", "z": "MESFET", "k": "coupling"}
_TERMINALS = {"r": 2, "c": 2, "l": 2, "d": 2, "m": 4, "q": 3, "j": 3, "v": 2, "i": 2, "b": 2, "e": 4, "g": 4, "f": 2,
              "h": 2, "s": 4, "w": 2, "t": 4, "o": 4, "y": 4, "u": 3, "z": 3, "k": 0, "p": 0, "a": 0}
# Of a and p as many as the card says; those are not counted.


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

    Nodes that only coupled lines and code models name are not counted.

    Raises:
        CircuitError: an include or a subcircuit is missing, or the deck is refused; the message names it and the deck.
    """
    if not Path(deck).is_file():
        raise CircuitError(f"{deck} does not exist; name a deck")
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
    for card in walk_deck(check_deck(deck)):
        if card.keyword in (".subckt", ".macro"):
            head = Subcircuit.read(card)
            scopes[head.name] = _Scope(pins=head.pins)
            stack.append(head.name)
        elif card.keyword in (".ends", ".eom"):
            if len(stack) == 1:
                raise card.reject(f"{card.keyword} closes no .subckt; remove it")
            stack.pop()
        elif not card.keyword.startswith("."):
            scopes[stack[-1]].cards.append(card)
    return scopes
