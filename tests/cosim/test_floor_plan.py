"""The drawing of which array holds what."""

from circuits.board.layer import LayerSpec
from cosim.folder.floor_plan import floor_plan


def layer(name, outputs, lines):
    return LayerSpec(name=name, n_inputs=lines // 2, n_outputs=outputs, bias=False, relu=True, r_f=1e4)


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
