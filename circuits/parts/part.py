"""A part: its macromodel file, whose definitions can be read as data and written again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from circuits.cards.card import Card, parse_cards
from circuits.cards.definition import Definition, Model, Subcircuit
from circuits.errors import CircuitError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part's file, as it is in this folder or with other definitions."""

    name: str  # file stem, e.g. "opa4990"
    text: str

    @property
    def path(self) -> Path:
        """The nominal part's file."""
        return FOLDER / f"{self.name}.lib"

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """Its cards, with the lines of :attr:`text` on which they start."""
        return tuple(parse_cards(self.path, self.text.splitlines()))

    def model(self, name: str) -> Model:
        """Its ``.model`` of that name.

        Raises:
            CircuitError: there is none.
        """
        return self._find(Model, name)[1]

    def subcircuit(self, name: str) -> Subcircuit:
        """Its ``.subckt`` of that name.

        Raises:
            CircuitError: there is none.
        """
        return self._find(Subcircuit, name)[1]

    def having(self, definition: Definition) -> Part:
        """The same part with a definition in the place of its own of that name; every other line stays.

        Raises:
            CircuitError: it has none of that name and kind to put another into the place of.
        """
        card, _ = self._find(type(definition), definition.name)
        lines = self.text.splitlines()
        behind = min((other.line for other in self.cards if other.line > card.line), default=len(lines) + 1)
        kept = [line for line in lines[card.line : behind - 1] if not line.lstrip().startswith("+")]
        lines = [*lines[: card.line - 1], definition.text, *kept, *lines[behind - 1 :]]
        return replace(self, text="\n".join(lines) + "\n")

    def _find(self, kind: type[Definition], name: str) -> tuple[Card, Definition]:
        for card in self.cards:
            if card.keyword == kind.keyword and (definition := kind.read(card)).name == name.lower():
                return card, definition
        raise CircuitError(f"{self.path} holds no {kind.keyword} {name}")


def part_path(name: str) -> Path:
    """Path of the part's file, e.g. ``part_path("opa4990")``.

    Raises:
        CircuitError: there is no such part; lists those there are.
    """
    path = FOLDER / f"{name}.lib"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.lib")))
        raise CircuitError(f"no part named {name!r} in {FOLDER}; known parts: {known}")
    return path


@lru_cache
def read_part(name: str) -> Part:
    """The nominal part, e.g. ``read_part("opa4990")``.

    Raises:
        CircuitError: there is no such part; lists those there are.
    """
    return Part(name=name, text=part_path(name).read_text())


@lru_cache
def model_parameters(part: str, model: str) -> dict[str, float]:
    """Parameters of a ``.model`` card, read from the part's file so that no figure is written twice.

    Args:
        part: file stem, e.g. ``"nmos_select"``.
        model: model name on the card.
    Returns:
        name -> value, SI units, lower case.
    Raises:
        CircuitError: the card is not in the file, or a parameter is not a number.
    """
    return _numbers(read_part(part), read_part(part).model(model))


@lru_cache
def subcircuit_parameters(part: str) -> dict[str, float]:
    """Defaults of the parameters of a part's ``.subckt`` of its own name, e.g. ``subcircuit_parameters("opa4990")["gbw"]``.

    Returns:
        name -> value, SI units, lower case.
    Raises:
        CircuitError: the part's file has no such subcircuit, it takes no parameters, or a default is not a number.
    """
    subcircuit = read_part(part).subcircuit(part)
    if not subcircuit.parameters:
        raise CircuitError(f"{part_path(part)}: .subckt {part} takes no parameters")
    return _numbers(read_part(part), subcircuit)


def _numbers(part: Part, definition: Definition) -> dict[str, float]:
    try:
        return {name: definition.value(name) for name in definition.parameters}
    except CircuitError as failed:
        raise CircuitError(f"{part.path}: {failed}") from failed
