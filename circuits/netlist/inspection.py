"""What is in a deck: its hierarchy counted out, without running it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from circuits.errors import CircuitError

KINDS = {"r": "resistor", "c": "capacitor", "l": "inductor", "d": "diode", "m": "MOSFET", "q": "BJT", "j": "JFET",
         "v": "voltage source", "i": "current source", "b": "behavioural source", "e": "VCVS", "g": "VCCS", "f": "CCCS",
         "h": "CCVS", "s": "switch", "w": "switch", "t": "transmission line", "k": "coupling"}
_TERMINALS = {"r": 2, "c": 2, "l": 2, "d": 2, "m": 4, "q": 3, "j": 3, "v": 2, "i": 2, "b": 2, "e": 4, "g": 4, "f": 2,
              "h": 2, "s": 4, "w": 2, "t": 4, "k": 0}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A deck counted out, subcircuits expanded."""

    instances: Counter  # subcircuit name -> instances
    devices: Counter  # device letter -> elements
    nodes: int  # ground not counted
    depth: int  # levels of hierarchy


@dataclass
class _Scope:
    pins: tuple[str, ...] = ()
    cards: list[list[str]] = field(default_factory=list)


def inspect_deck(deck: Path) -> Contents:
    """Count blocks, devices and nodes of a deck and of everything it includes.

    Raises:
        CircuitError: an include or a subcircuit is missing; names it and the deck.
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
        for words in scope.cards:
            letter = words[0][0]
            if letter == "x":
                end = next((k for k, w in enumerate(words) if "=" in w or w == "params:"), len(words))
                nodes.update(words[1 : end - 1])
                child = count(words[end - 1], (*trail, name))
                instances += child.instances + Counter({words[end - 1]: 1})
                devices += child.devices
                inner, depth = inner + child.nodes, max(depth, child.depth + 1)
            elif letter in _TERMINALS:
                nodes.update(words[1 : 1 + _TERMINALS[letter]])
                devices[letter] += 1
            else:
                raise CircuitError(f"{deck}: element {words[0]!r} is of a kind that is not known here")
        own = len(nodes - set(scope.pins) - {"0", "gnd"})
        counted[name] = Contents(instances=instances, devices=devices, nodes=own + inner, depth=depth)
        return counted[name]

    return count("", ("deck",))


def _read(deck: Path) -> dict[str, _Scope]:
    scopes = {"": _Scope()}
    stack = [""]
    for words in _cards(deck, title=True):
        first = words[0]
        if first == ".subckt":
            end = next((k for k, w in enumerate(words) if "=" in w or w == "params:"), len(words))
            scopes[words[1]] = _Scope(pins=tuple(words[2:end]))
            stack.append(words[1])
        elif first == ".ends":
            stack.pop()
        elif not first.startswith("."):
            scopes[stack[-1]].cards.append(words)
    return scopes


def _cards(path: Path, *, title: bool = False, seen: tuple[Path, ...] = ()):
    """Logical lines as lower-case words: comments and control blocks out, continuations joined, includes followed."""
    if path.resolve() in seen:
        raise CircuitError(f"{path} includes itself")
    if not path.is_file():
        raise CircuitError(f"{path} does not exist" + (f"; included by {seen[-1]}" if seen else "; name a deck"))
    lines = path.read_text(errors="replace").splitlines()[1 if title else 0 :]
    joined: list[str] = []
    for raw in lines:
        line = re.split(r";|\$ ", raw)[0].rstrip()
        if not line.strip() or line.lstrip().startswith("*"):
            continue
        if line.lstrip().startswith("+") and joined:
            joined[-1] += " " + line.lstrip()[1:]
        else:
            joined.append(line.strip())
    control = False
    for line in joined:
        words = re.sub(r"\s*=\s*", "=", line).lower().split()
        if words[0] in (".control", ".endc"):
            control = words[0] == ".control"
        elif words[0] == ".end":
            return
        elif words[0] in (".include", ".inc") and not control:
            target = path.parent / line.split(maxsplit=1)[1].strip().strip("'\"")
            yield from _cards(target, seen=(*seen, path.resolve()))
        elif not control:
            yield words
