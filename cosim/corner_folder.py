"""A compiled folder at a corner."""

from __future__ import annotations

from pathlib import Path

from circuits.corner_files import write_corner
from circuits.corner_layer import macros_at
from circuits.corners import Corner
from cosim.behavioural.blueprint import Blueprint


def write_corner_folder(source: Path, blueprint: Blueprint, target: Path, corner: Corner) -> None:
    """Write a compiled folder's decks, of either fidelity, at a corner; what is written already is left alone.

    Args:
        source: nominal folder, made by `cosim compile`.
        blueprint: of ``source``, as :func:`cosim.behavioural.from_folder.read_blueprint` gives it.
    Raises:
        circuits.errors.CircuitError: as :func:`circuits.corner_files.write_corner`.
    """
    layers = zip(blueprint.board.layers, blueprint.conductances, strict=True)
    macros = {path: text for spec, g in layers for path, text in macros_at(spec, g, corner).items()}
    write_corner(source, target, corner, macros)
