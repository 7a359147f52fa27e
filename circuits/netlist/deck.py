"""A deck: the test bench around a block, ready for ``ngspice -b``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PySpice.Spice.Netlist import Circuit

from circuits.errors import CircuitError
from circuits.netlist.block import Block
from circuits.netlist.render import comment, render_block, render_elements
from circuits.netlist.solver import ACCURATE
from circuits.parts import Part, read_part

SOLVER = ACCURATE.options


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One ``.meas`` line and the value that it is expected to give."""

    name: str
    rule: str  # after ".meas tran <name>", e.g. "find v(x0_p) at=0.1"
    expect: float
    unit: str = "V"


@dataclass(frozen=True, kw_only=True)
class Deck:
    """Everything that a deck consists of: comments, sources, device under test, analysis and measures."""

    name: str  # file stem; the raw file takes it too
    title: str
    banner: tuple[str, ...]  # comment lines
    block: Block  # device under test
    bench: Circuit  # supplies, sources and the instance of the block
    analysis: str  # e.g. ".tran 1e-3 0.5 0 1e-3"
    save: tuple[str, ...]  # vectors, e.g. "v(out)"
    notes: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    options: str = SOLVER
    extra_files: Mapping[str, str] = field(default_factory=dict)  # relative path -> text, e.g. conductances
    bench_includes: Mapping[str, str] = field(default_factory=dict)  # extra file -> what of the test bench it holds, in words
    temperature: float | None = None  # degC, of every device; None: ngspice's own, 27
    changed_parts: Mapping[str, Part] = field(default_factory=dict)  # name -> part that replaces the nominal one

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.name):
            raise CircuitError(f"deck name {self.name!r}: use lower-case letters, digits and underscores")
        if not self.save:
            raise CircuitError(f"deck {self.name} saves no vector; name at least one, e.g. v(out)")

    def render(self) -> str:
        """Text of ``<name>.cir``, whose includes are relative to its own folder."""
        lines = [*comment([self.title]), *comment(self.banner), ""]
        lines += [f".include parts/{part}.lib" for part in self.block.all_parts()]
        lines += [f".include blocks/{block.file}" for block in self.block.leaf_to_top()]
        lines += ["", "* test bench"]
        for name, words in self.bench_includes.items():
            lines += [*comment([words]), f".include {name}"]
        lines += [*render_elements(self.bench, self.notes), ""]
        if self.temperature is not None:
            lines.append(f".temp {self.temperature:g}  ; degC")
        lines += [f".options {self.options}", *(f".save {vector}" for vector in self.save), self.analysis, ""]
        lines += [f".meas {self.analysis.split()[0][1:]} {m.name} {m.rule}  ; expect {m.expect:.4g} {m.unit}"
                  for m in self.measures]
        lines += ["", "* a designer's run, `ngspice -b`; the harness runs the same deck without these lines", ".control",
                  "run", f"write {self.name}.raw", "quit", ".endc", ".end"]
        return "\n".join(lines) + "\n"

    def files(self) -> dict[str, str]:
        """Text of the deck and of every file that it includes, by relative path, except the conductances of a twin."""
        files = dict(self.extra_files)
        parts = {name: self.changed_parts.get(name) or read_part(name) for name in self.block.all_parts()}
        files |= {f"parts/{name}.lib": part.text for name, part in parts.items()}
        for block in self.block.leaf_to_top():
            files[f"blocks/{block.file}"] = render_block(block)
            files |= {f"blocks/{name}": text for name, text in block.extra_files.items()}
        files[f"{self.name}.cir"] = self.render()
        return files


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below ``folder``; a file that already holds the same content is left alone.

    All are written beside their targets before the first is renamed: a full disk or an interrupt leaves the folder as it
    was, not half old and half new.
    """
    partials: dict[Path, Path] = {}
    try:
        for name, content in files.items():
            path, data = folder / name, content.encode() if isinstance(content, str) else content
            if path.is_file() and path.read_bytes() == data:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            partials[path] = path.with_name(path.name + ".partial")
            partials[path].write_bytes(data)
        for path, partial in partials.items():
            partial.replace(path)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
