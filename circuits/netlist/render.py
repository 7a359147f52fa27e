"""Rendering: from PySpice netlists to the text that a designer reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import dedent

from PySpice.Spice.Netlist import Netlist, SubCircuit

from circuits.errors import CircuitError
from circuits.netlist.block import Block

WIDTH = 120  # columns


def render_block(block: Block) -> str:
    """The text of a block's file: comment header, ``.subckt``, body, ``.ends``."""
    lines = header(block)
    lines += wrap(f".subckt {block.name} {_nodes(block.netlist)}{_parameters(block.netlist)}")
    lines += [f".include {path}" for path in block.inside]
    lines += render_elements(block.netlist, block.notes)
    lines.append(f".ends {block.name}")
    return "\n".join(lines) + "\n"


def header(block: Block) -> list[str]:
    """Comment lines above a ``.subckt``: purpose, drawing, pins."""
    lines = [f"* {block.name}: {block.purpose}"]
    lines += [f"*   {row}".rstrip() for row in dedent(block.drawing).strip("\n").splitlines() if row.strip()]
    room = max((len(pin) for pin in block.pins), default=0)
    lines += [f"*   {pin:<{room}}  {meaning}" for pin, meaning in block.pins.items()]
    return lines


def render_elements(netlist: Netlist, notes: Mapping[str, str] | None = None) -> list[str]:
    """Element lines of a PySpice netlist in lower case, with a trailing comment where ``notes`` has one."""
    notes = dict(notes or {})
    lines: list[str] = []
    for element in netlist.elements:
        text = str(element)
        if "\n" in text or ";" in text:
            raise CircuitError(f"element {element.name!r} holds a line break or a semicolon; it would inject a card")
        note = notes.pop(element.name.lower(), None)
        lines += wrap(text.lower(), f"  ; {note}" if note else "")
    if notes:
        raise CircuitError(f"notes for elements that {netlist} does not have: {', '.join(sorted(notes))}")
    return lines


def wrap(text: str, tail: str = "") -> list[str]:
    """Break a card into ``+`` continuation lines of at most WIDTH columns; ``tail`` ends the last."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = "+ " + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line + tail]


def comment(lines: Iterable[str]) -> list[str]:
    """Comment lines. A line break inside a line would inject a card, so it is refused."""
    out = []
    for line in lines:
        if "\n" in line or "\r" in line:
            raise CircuitError(f"comment {line!r} holds a line break; it would inject a card")
        out.append(f"* {line}".rstrip())
    return out


def _nodes(netlist: SubCircuit) -> str:
    return " ".join(str(node) for node in netlist.external_nodes)


def _parameters(netlist: SubCircuit) -> str:
    pairs = " ".join(f"{name}={value}" for name, value in netlist.parameters.items())
    return f" params: {pairs}" if pairs else ""
