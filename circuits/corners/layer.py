"""A layer at a corner: the board's own conductances and resistors behind the corner's wires and transistors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from circuits.array.macromodel import array_macro, reduce_array
from circuits.board.layer import LayerSpec
from circuits.corners.corner import Corner
from circuits.corners.transistor import transistor_at
from circuits.netlist.render import render_block


def layer_at(spec: LayerSpec, corner: Corner) -> LayerSpec:
    """The same layer with the corner's wires and select transistors."""
    wires = replace(spec.wires, resistance=spec.wires.resistance * corner.wire_factor)
    return replace(spec, wires=wires, transistor=transistor_at(corner, spec.transistor))


def macros_at(spec: LayerSpec, conductances: Sequence[np.ndarray], corner: Corner) -> dict[str, str]:
    """Macromodels of a layer's arrays at a corner.

    Args:
        spec: of the nominal board.
        conductances: a tile (32, 32) [S], as programmed.
    Returns:
        Path of the array's file in a folder of decks -> its text.
    """
    there = layer_at(spec, corner)
    r_port = 0.0 if spec.is_one_tile else spec.r_board
    made = {}
    for tile, g in zip(spec.tiles, conductances, strict=True):
        reduced = reduce_array(g, n_outputs=tile.n_outputs, wires=there.wires, transistor=there.transistor, r_port=r_port)
        # With an offset in all op-amps the source lines have a common voltage, which a line that hangs must follow.
        block = array_macro(tile.name, reduced, n_lines=tile.n_lines, wires=there.wires, hanging=there.hanging(tile),
                            one_way=not (there.is_one_tile or corner.vos))
        made[f"blocks/{block.file}"] = render_block(block)
    return made
