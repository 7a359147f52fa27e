"""Definitions: what ``.model`` and ``.subckt`` cards say, as data that can be changed and written as a card again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from circuits.cards.card import Card
from circuits.cards.number import spice_number
from circuits.errors import CircuitError

_ASSIGNMENT = re.compile(r"([a-z_]\w*)\s*=\s*(\{[^{}]*\}|[^\s=]+)", re.I)
_PARAMETERS = re.compile(r"\bparams:", re.I)
_MODEL = re.compile(r"\.model\s+(\S+)\s+(\w+)\s*(.*)", re.I)


def assignments(text: str) -> dict[str, str]:
    """``name=value`` pairs of a card, lower case, in order; a value may be an expression in braces."""
    return {name.lower(): value.lower() for name, value in _ASSIGNMENT.findall(text)}


def words_before_assignments(text: str) -> list[str]:
    """The words of a card up to its first ``name=value`` pair or its ``params:``; their case is kept."""
    first = _ASSIGNMENT.search(text)
    return _PARAMETERS.split(text[: first.start()] if first else text)[0].split()


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A card that names something and gives it parameters."""

    keyword = ""  # of the card

    name: str  # lower case
    parameters: Mapping[str, str]  # lower case: name -> value as it is written, SI units

    def value(self, parameter: str) -> float:
        """A parameter as a number, SI units.

        Raises:
            CircuitError: there is no such parameter, or it is not a number.
        """
        self._check(parameter)
        value = spice_number(self.parameters[parameter])
        if value is None:
            raise CircuitError(f"{self.keyword} {self.name} has {parameter}={self.parameters[parameter]}, which is not a SPICE "
                               "number; write it as one, e.g. 10u")
        return value

    def having(self, **values: str | float) -> Definition:
        """The same definition with other values of parameters that it has; a number is written with six digits.

        Raises:
            CircuitError: it has no such parameter; the message lists those it has.
        """
        self._check(*values)
        return self.extended(**values)

    def extended(self, **values: str | float) -> Definition:
        """The same definition with these values, also of parameters that its card leaves at the simulator's default."""
        written = {name: value if isinstance(value, str) else f"{value:.6g}" for name, value in values.items()}
        return replace(self, parameters={**self.parameters, **written})

    def _check(self, *parameters: str) -> None:
        for parameter in parameters:
            if parameter not in self.parameters:
                raise CircuitError(f"{self.keyword} {self.name} has no parameter {parameter}; it has "
                                   f"{', '.join(self.parameters) or 'none'}")

    @property
    def _pairs(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())


@dataclass(frozen=True, kw_only=True)
class Model(Definition):
    """A ``.model`` card."""

    keyword = ".model"

    kind: str  # lower case: d, nmos, pmos, ...

    @classmethod
    def read(cls, card: Card) -> Model:
        """The model that a card defines.

        Raises:
            RejectedDeck: the card has no name or no type; the message names file and line.
        """
        parts = _MODEL.fullmatch(card.text)
        if parts is None:
            raise card.reject("a model has a name and a type; write '.model name type(parameter=value ...)'")
        inside = parts[3].strip()
        if inside.startswith("("):
            inside = inside[1:].removesuffix(")")
        return cls(name=parts[1].lower(), kind=parts[2].lower(), parameters=assignments(inside))

    @property
    def text(self) -> str:
        """The card."""
        return f"{self.keyword} {self.name} {self.kind}({self._pairs})"


@dataclass(frozen=True, kw_only=True)
class Subcircuit(Definition):
    """A ``.subckt`` card, without what is inside the subcircuit."""

    keyword = ".subckt"

    pins: tuple[str, ...]  # lower case, in order

    @classmethod
    def read(cls, card: Card) -> Subcircuit:
        """The subcircuit that a card opens.

        Raises:
            RejectedDeck: the card has no name; the message names file and line.
        """
        words = [word.lower() for word in words_before_assignments(card.text)]
        if len(words) < 2:
            raise card.reject("a subcircuit has a name; write '.subckt name pin ... params: parameter=value ...'")
        return cls(name=words[1], pins=tuple(words[2:]), parameters=assignments(card.text))

    @property
    def text(self) -> str:
        """The card."""
        head = " ".join([self.keyword, self.name, *self.pins])
        return f"{head} params: {self._pairs}" if self.parameters else head
