"""The 32x32 1T1R array with every cell and every wire segment."""

from __future__ import annotations

from functools import lru_cache

from PySpice.Spice.Netlist import SubCircuit

from circuits.array.cell import cell_1t1r
from circuits.netlist.block import Block
from circuits.netlist.render import comment, render_elements

SIZE = 32


def array_pins() -> tuple[str, ...]:
    """The array's pins in order: bl0..bl31, sl0..sl31, wl0..wl31, vsub."""
    return (*(f"{line}{k}" for line in ("bl", "sl", "wl") for k in range(SIZE)), "vsub")


def array_cells(rows: int = SIZE) -> SubCircuit:
    """The body of the array: its 1024 cells, or the cells of its first ``rows`` rows.

    Cell (row, col) stands at source line ``row`` and bit line ``col``. A bit line is driven at row 0 and runs along its
    column; a source line is sensed at column 0 and runs along its row; a word line selects its whole row. The conductances
    are the parameters ``g_<row>_<col>``.
    """
    s = SubCircuit("array_32x32", *array_pins())
    for row in range(rows):
        for col in range(SIZE):
            bl_near = f"bl{col}" if row == 0 else f"bl{col}_{row - 1}"
            sl_near = f"sl{row}" if col == 0 else f"sl{row}_{col - 1}"
            s.X(f"cell_{row}_{col}", "cell_1t1r", bl_near, f"bl{col}_{row}", sl_near, f"sl{row}_{col}",
                f"wl{row}", "vsub", g=f"{{g_{row}_{col}}}")
    return s


def memristor_array(name: str, cell: Block | None = None, rows: int = SIZE) -> Block:
    """The array of one tile: the shared 1024 cells with that tile's conductances.

    Pins: bl0..bl31 sl0..sl31 wl0..wl31 vsub.

    Args:
        name: of the tile.
        cell: the block of one cell; None: the nominal cell.
        rows: how many rows the array has. With fewer than 32, the rows from there on are left out, together with the
            bit-line wires that lead only to them. Their word lines must be off; the solution is then the same except for the
            femtofarads of these wires.
    """
    cells_file = f"array_{rows}x{SIZE}.inc"
    return Block(
        netlist=SubCircuit(f"array_{name}", *array_pins()),
        purpose="32x32 1T1R array, i(sl_r) = sum over c of g_eff(r, c) * v(bl_c) for every row whose word line is high",
        pins={
            f"bl0..bl{SIZE - 1}": "bit lines, driven inputs",
            f"sl0..sl{SIZE - 1}": "source lines, summed outputs, held at virtual ground",
            f"wl0..wl{SIZE - 1}": "word lines, one a row (output)",
            "vsub": "substrate",
        },
        drawing="""
                   bl0      bl1    ...  bl31
                    |        |           |
            sl0 ----+--------+-----------+    wl0 selects row 0
            sl1 ----+--------+-----------+    wl1
             ...
        """,
        uses=(cell or cell_1t1r(),),
        inside=(f"../conductances/{name}.inc", cells_file),
        extra_files={cells_file: _cells_text(rows)},
    )


@lru_cache
def _cells_text(rows: int) -> str:
    lines = comment([
        f"array_{rows}x{SIZE}: the {rows * SIZE} cells of every array, xcell_<row>_<col> bl_near bl_far sl_near sl_far wl vsub",
        "  Not a .subckt of its own: each layer's array includes it after its conductances, so that {g_<row>_<col>}",
        "  is that layer's. Bit line <col> is driven at row 0, source line <row> is sensed at column 0.",
    ])
    return "\n".join([*lines, *render_elements(array_cells(rows))]) + "\n"
