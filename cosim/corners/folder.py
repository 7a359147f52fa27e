"""A compiled folder at a corner."""

from __future__ import annotations

from pathlib import Path

from circuits.corners.corner import Corner
from circuits.corners.files import write_corner
from circuits.corners.layer import macros_at
from cosim.behavioural.blueprint import Blueprint
from cosim.folder.manifest import Manifest


def write_corner_folder(manifest: Manifest, blueprint: Blueprint, target: Path, corner: Corner) -> None:
    """Write a compiled folder's decks, of either fidelity, at a corner; what is written already is left alone.

    Args:
        manifest: of the nominal folder.
        blueprint: of the same, as :func:`cosim.behavioural.from_folder.read_blueprint` gives it.
    Raises:
        circuits.errors.CircuitError: as :func:`circuits.corners.files.write_corner`.
    """
    layers = zip(blueprint.board.layers, blueprint.conductances, strict=True) if manifest.fidelity == "macro" else ()
    macros = {path: text for spec, g in layers for path, text in macros_at(spec, g, corner).items()}
    write_corner(manifest.folder, target, corner, macros)
