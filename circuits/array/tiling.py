"""Tiling: how a layer of any width is spread over 32x32 arrays."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.array.crossbar import SIZE


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One array of a layer. It holds a block of the layer's outputs and of its bit lines."""

    name: str  # of the array and of its conductance file
    row: int  # place in the floor plan, 0 at the first outputs
    column: int  # place in the floor plan, 0 at the first bit lines
    first_output: int
    first_line: int  # counted among the layer's bit lines
    n_outputs: int  # source lines in use
    n_lines: int  # bit lines in use

    @property
    def outputs(self) -> slice:
        """Which of the layer's outputs it holds."""
        return slice(self.first_output, self.first_output + self.n_outputs)

    @property
    def lines(self) -> slice:
        """Which of the layer's bit lines it holds."""
        return slice(self.first_line, self.first_line + self.n_lines)


def tile_layer(name: str, n_outputs: int, n_lines: int) -> tuple[Tile, ...]:
    """Tiles of a layer, row by row. A layer that fits one array is one tile with the layer's name.

    Outputs fill tiles of 32 source lines, and bit lines fill tiles of 32. A pair of bit lines is therefore never split, and
    the bias, the last pair, is on the last column of tiles.

    Args:
        name: of the layer.
        n_outputs: number of source lines.
        n_lines: number of bit lines: two per input, and two for the bias.
    """
    rows, columns = -(-n_outputs // SIZE), -(-n_lines // SIZE)
    return tuple(
        Tile(name=name if rows * columns == 1 else f"{name}_{row}_{column}", row=row, column=column,
             first_output=row * SIZE, first_line=column * SIZE,
             n_outputs=min(SIZE, n_outputs - row * SIZE), n_lines=min(SIZE, n_lines - column * SIZE))
        for row in range(rows) for column in range(columns)
    )
