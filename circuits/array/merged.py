"""The arrays of a layer as one network: what stands in parallel between the same lines is summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.macromodel import Reduced, add_elements, legend
from circuits.array.tiling import Tile
from circuits.array.wires import Wires
from circuits.netlist.block import Block
from circuits.netlist.plain_lines import PlainLines


def side_by_side(tiles: Sequence[Tile], reduced: Mapping[str, Reduced]) -> Reduced:
    """Reduced arrays of a layer, wired line to line, as one.

    Arrays of one column of the floor plan share their bit lines, those of one row their source lines. Networks between the
    same pins are in parallel, so that their conductances sum, and so do their second-order currents at the same pair.

    Args:
        tiles: of the layer, on a whole grid of rows and columns.
        reduced: array of each tile, by its name.
    """
    n_sources = SIZE * (1 + max(tile.row for tile in tiles))
    n_bits = SIZE * (1 + max(tile.column for tile in tiles))
    between, curvature = np.zeros((n_bits + n_sources + 1,) * 2), np.zeros((n_sources, n_bits))
    for tile in tiles:
        array = reduced[tile.name]
        bits, sources = np.arange(SIZE) + tile.first_line, np.arange(SIZE) + tile.first_output
        pins = np.concatenate([bits, n_bits + sources, [n_bits + n_sources]])
        between[np.ix_(pins, pins)] += array.between
        curvature[np.ix_(sources, bits)] += array.curvature
    return Reduced(between=between, curvature=curvature)


def merged_arrays(name: str, tiles: Sequence[Tile], reduced: Mapping[str, Reduced], *, wires: Wires,
                  hanging: Sequence[int] = (), one_way: bool = False) -> Block:
    """All arrays of a layer in one block, each drawn as :func:`circuits.array.macromodel.array_macro` draws it.

    A load, a coupling of two bit lines or a capacitance of several arrays is one element, and a pair's square one node. The
    sums are exact, except that the arrays of one row share one star, of the sum of their source lines' couplings.
    Pins: bl<c> and sl<k>, the layer's bit lines and source lines in use, and vsub.

    Args:
        name: of the layer.
        tiles: of the layer, on a whole grid.
        reduced: array of each tile, by its name.
        wires: wire segments, whose capacitance is placed at the pins.
        hanging: the layer's bit lines that nothing drives while their neuron is off, at most one of each pair.
        one_way: as for one array.
    """
    rows, columns = 1 + max(tile.row for tile in tiles), 1 + max(tile.column for tile in tiles)
    n_outputs, n_lines = (max(part.stop for part in parts) for parts in
                          ([tile.outputs for tile in tiles], [tile.lines for tile in tiles]))
    pins = (*(f"bl{line}" for line in range(n_lines)), *(f"sl{k}" for k in range(n_outputs)), "vsub")
    s = PlainLines(f"arrays_{name}_{rows}x{columns}", *pins)
    notes = add_elements(s, side_by_side(tiles, reduced), n_lines=n_lines, wires=wires, hanging=hanging, one_way=one_way)
    return Block(
        netlist=s,
        file_stem=f"arrays_{name}_macro",
        purpose=f"{rows} x {columns} 32x32 1T1R arrays as one network: cells and wires reduced to what is between the lines "
                "(Schur complement), parallel elements summed",
        notes=notes,
        pins={
            f"bl0..bl{n_lines - 1}": "the layer's bit lines in pairs, +v and -v; "
            + (f"{'odd' if hanging[0] % 2 else 'even'} ones may hang, op-amps drive the others" if hanging
               else "op-amps drive them"),
            f"sl0..sl{n_outputs - 1}": "the layer's source lines, held at virtual ground",
            "vsub": "substrate, takes the junctions' gmin",
        },
        drawing="\n".join([
            f"array {name}_<row>_<column> of the floor plan has sl<{SIZE}*row> and bl<{SIZE}*column> and those behind them",
            f"cell g_<r>_<c> of its file in conductances/ lies between sl<{SIZE}*row + r> and bl<{SIZE}*column + c>",
            f"board wires are inside; `cosim inspect FOLDER --why {name}.<element>` names the cells that make an element",
            *legend(notes)]),
    )
