"""A subcircuit whose elements are lines of text: an array of a thousand cells takes PySpice's objects seconds."""

from __future__ import annotations

from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit


@dataclass(frozen=True, slots=True)
class Line:
    """An element as it stands in the deck."""

    name: str  # with its letter
    nodes: tuple[str, ...]
    value: str

    def __str__(self) -> str:
        return f"{self.name} {' '.join(self.nodes)} {self.value}"


class PlainLines(SubCircuit):
    """A subcircuit of resistors, capacitors and controlled sources, written as PySpice writes them."""

    def __init__(self, name: str, *pins: str) -> None:
        super().__init__(name, *pins)
        self._lines: list[Line] = []

    @property
    def elements(self) -> list[Line]:
        """In the order in which they were added."""
        return self._lines

    def resistor(self, name: str, a: str, b: str, ohms: float) -> None:
        """Between two nodes."""
        self._lines.append(Line(f"R{name}", (a, b), repr(float(ohms))))

    def capacitor(self, name: str, a: str, b: str, farads: float) -> None:
        """Between two nodes."""
        self._lines.append(Line(f"C{name}", (a, b), repr(float(farads))))

    def transconductance(self, name: str, from_node: str, to_node: str, sense: str, siemens: float) -> None:
        """A current of ``siemens`` times v(sense) from one node to another."""
        self._lines.append(Line(f"G{name}", (from_node, to_node, sense, "0"), repr(float(siemens))))

    def voltage(self, name: str, node: str, expression: str) -> None:
        """A node at the value of an expression."""
        self._lines.append(Line(f"B{name}", (node, "0"), f"v={expression}"))
