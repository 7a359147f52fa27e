"""Tiles: every cell once, pairs never parted, the bias on the last column."""

import pytest

from circuits.array.tiling import tile_layer


@pytest.mark.parametrize(("outputs", "lines"), [(1, 2), (32, 32), (33, 32), (32, 34), (64, 130), (512, 1026)])
def test_every_cell_is_on_one_tile(outputs, lines):
    seen = set()
    for tile in tile_layer("h", outputs, lines):
        assert 0 < tile.n_outputs <= 32
        assert 0 < tile.n_lines <= 32
        assert tile.first_line % 2 == tile.n_lines % 2 == 0
        cells = {(r, c) for r in range(outputs)[tile.outputs] for c in range(lines)[tile.lines]}
        assert len(cells) == tile.n_outputs * tile.n_lines
        assert not cells & seen
        seen |= cells
    assert len(seen) == outputs * lines


def test_names_and_places():
    assert [t.name for t in tile_layer("output", 6, 32)] == ["output"]
    tiles = tile_layer("hidden_2", 64, 130)
    assert [t.name for t in tiles[:6]] == ["hidden_2_0_0", "hidden_2_0_1", "hidden_2_0_2", "hidden_2_0_3", "hidden_2_0_4",
                                           "hidden_2_1_0"]
    assert [(t.n_lines, t.first_line) for t in tiles if t.column == 4] == [(2, 128), (2, 128)]  # the bias alone
