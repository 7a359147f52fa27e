"""32x32 1T1R array: every cell, every wire segment."""

from __future__ import annotations

from functools import lru_cache

from PySpice.Spice.Netlist import SubCircuit

from circuits.array.cell import cell_1t1r
from circuits.netlist.block import Block
from circuits.netlist.render import comment, render_elements

SIZE = 32


def array_pins() -> tuple[str, ...]:
    """Pins in order: bl0..bl31, sl0..sl31, wl0..wl31, vsub."""
    return (*(f"{line}{k}" for line in ("bl", "sl", "wl") for k in range(SIZE)), "vsub")


def array_cells(rows: int = SIZE) -> SubCircuit:
    """The body of the array: 1024 cells, or those of the first ``rows`` rows.

    Cell (row, col) at source line ``row`` and bit line ``col``.

    Bit line ``col`` is driven at row 0 and runs along the column; source line ``row`` is sensed at column 0 and runs
    along the row; word line ``row`` selects the whole row. Conductances are the parameters ``g_<row>_<col>``.
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
        rows: fewer than 32 leaves the rows from there on out, with the bit-line wires that lead only to them. Their word
            lines must be off; the solution is then the same but for the wires' femtofarads.
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
