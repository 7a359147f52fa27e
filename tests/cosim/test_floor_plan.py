"""The drawing of which array holds what."""

from circuits.array.tiling import tile_layer
from cosim.folder.floor_plan import floor_plan


def layer(name, outputs, lines):
    tiles = [{"name": t.name, "first_output": t.first_output, "first_line": t.first_line, "n_outputs": t.n_outputs,
              "n_lines": t.n_lines} for t in tile_layer(name, outputs, lines)]
    return {"name": name, "n_outputs": outputs, "n_bit_lines": lines, "tiles": tiles}


def test_drawn_by_hand():
    assert floor_plan([layer("hidden_1", 40, 14), layer("output", 6, 34)]).splitlines() == [
        "hidden_1: 40 outputs, 14 bit lines, 2 arrays",
        "              lines 0..13",
        "  out 0..31   [ 32 x 14 ]",
        "  out 32..39  [  8 x 14 ]",
        "output: 6 outputs, 34 bit lines, 2 arrays",
        "            lines 0..31    lines 32..33",
        "  out 0..5  [  6 x 32 ]    [  6 x  2 ]",
    ]
