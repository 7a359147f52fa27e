"""A block: a documented ``.subckt``, described with PySpice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from PySpice.Spice.Netlist import SubCircuit


@dataclass(frozen=True, kw_only=True)
class Block:
    """A ``.subckt`` with everything that a designer reads above it.

    Its pins are the netlist's external nodes, in order; ``pins`` says what they mean.
    """

    netlist: SubCircuit
    purpose: str  # what the block does, with its transfer function, on a single line
    pins: Mapping[str, str]  # names of nets -> meaning; several nets of the same kind share an entry
    drawing: str = ""  # in ASCII
    parts: tuple[str, ...] = ()  # files in circuits/parts that it needs
    uses: tuple[Block, ...] = ()  # blocks that it instantiates
    inside: tuple[str, ...] = ()  # files included at the head of the body, relative to the block's own file
    extra_files: Mapping[str, str] = field(default_factory=dict)  # relative path -> text, beside the block's own file
    notes: Mapping[str, str] = field(default_factory=dict)  # element name -> trailing comment
    file_stem: str = ""  # of the block's own file; "" takes the block's name

    @property
    def name(self) -> str:
        return self.netlist.name

    @property
    def file(self) -> str:
        """Name of the block's own file."""
        return f"{self.file_stem or self.name}.inc"

    def leaf_to_top(self) -> Iterator[Block]:
        """Every block that is needed to simulate this block, each once, from the leaves up to this block itself."""
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
