"""A block: one documented ``.subckt``, described with PySpice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from PySpice.Spice.Netlist import SubCircuit


@dataclass(frozen=True, kw_only=True)
class Block:
    """One ``.subckt`` with everything a designer reads above it.

    Pins are the netlist's external nodes, in order; their meaning stands in ``pins``.
    """

    netlist: SubCircuit
    purpose: str  # one line: what the block does, with its transfer function
    pins: Mapping[str, str]  # net name(s) -> meaning; several nets of one kind share an entry
    drawing: str = ""  # ASCII
    parts: tuple[str, ...] = ()  # files in circuits/parts that it needs
    uses: tuple[Block, ...] = ()  # blocks that it instantiates
    inside: tuple[str, ...] = ()  # files included at the head of the body, relative to the block's own file
    extra_files: Mapping[str, str] = field(default_factory=dict)  # relative path -> text, beside the block's own file
    notes: Mapping[str, str] = field(default_factory=dict)  # element name -> trailing comment
    file_stem: str = ""  # of the block's own file; "": the block's name

    @property
    def name(self) -> str:
        return self.netlist.name

    @property
    def file(self) -> str:
        """Name of the block's own file."""
        return f"{self.file_stem or self.name}.inc"

    def leaf_to_top(self) -> Iterator[Block]:
        """Every block needed to simulate this one, each once, leaves first, this one last."""
        seen: set[str] = set()

        def walk(block: Block) -> Iterator[Block]:
            if block.name in seen:
                return
            seen.add(block.name)
            for used in block.uses:
                yield from walk(used)
            yield block

        yield from walk(self)

    def all_parts(self) -> tuple[str, ...]:
        """Part files of this block and of all below it, sorted."""
        return tuple(sorted({part for block in self.leaf_to_top() for part in block.parts}))
