"""A layer at a corner: the board's own resistors and arrays behind the corner's wires and transistors."""

from __future__ import annotations

from dataclasses import replace

from circuits.array.wires import Wires
from circuits.board.layer import LayerSpec
from circuits.corners.corner import Corner
from circuits.corners.transistor import transistor_at


def wires_at(corner: Corner, nominal: Wires) -> Wires:
    """A board's wire segments at a corner."""
    return replace(nominal, resistance=float(f"{nominal.resistance * corner.wire_factor:.9g}"))


def layer_at(spec: LayerSpec, corner: Corner) -> LayerSpec:
    """The same layer with the corner's wires, select transistors and offset."""
    if not corner.changes:
        return spec  # to the last digit
    return replace(spec, wires=wires_at(corner, spec.wires), transistor=transistor_at(corner, spec.transistor),
                   common_offset=bool(corner.vos))
