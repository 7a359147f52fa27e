"""The floor plan: which array holds which part of a layer, drawn in text."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.board.layer import LayerSpec


def floor_plan(layers: Sequence[LayerSpec]) -> str:
    """One grid of arrays a layer, outputs downwards, bit lines to the right; cells in use as source lines x bit lines.

    ```
    hidden_2: 64 outputs, 130 bit lines, 10 arrays of 32x32
                   lines 0..31   lines 32..63  ...
      out 0..31   [ 32 x 32 ]   [ 32 x 32 ]
      out 32..63  [ 32 x 32 ]   [ 32 x 32 ]
    ```

    Args:
        layers: of a board.
    """
    return "\n".join(_layer(layer) for layer in layers)


def _layer(layer: LayerSpec) -> str:
    tiles = layer.tiles
    rows = sorted({(tile.first_output, tile.n_outputs) for tile in tiles})
    columns = sorted({(tile.first_line, tile.n_lines) for tile in tiles})
    placed = {(tile.first_output, tile.first_line): tile for tile in tiles}
    heads = [f"lines {first}..{first + count - 1}" for first, count in columns]
    sides = [f"out {first}..{first + count - 1}" for first, count in rows]
    side, room = max(map(len, sides)), max(13, *(len(head) for head in heads))
    lines = [f"{layer.name}: {layer.n_outputs} outputs, {layer.n_bit_lines} bit lines, {len(tiles)} "
             f"array{'s' if len(tiles) > 1 else ''}", " " * (side + 4) + "  ".join(head.ljust(room) for head in heads)]
    for name, (output, _) in zip(sides, rows, strict=True):
        boxes = (placed[output, line] for line, _ in columns)
        cells = "  ".join(f"[ {tile.n_outputs:>2} x {tile.n_lines:>2} ]".ljust(room) for tile in boxes)
        lines.append(f"  {name.ljust(side)}  {cells}".rstrip())
    return "\n".join(line.rstrip() for line in lines)
