"""Many boards of one twin: programmed conductances drawn board by board, solved in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from circuits.array.programming import Programming
from circuits.array.window import Window
from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.board import Board, make_board, solve_arrays

BATCH = 1000  # boards, about 100 MB of an HP twin


def programmed(blueprint: Blueprint, draws: Sequence[Programming], window: Window,
               dtype: torch.dtype = torch.float64) -> list[list[torch.Tensor]]:
    """Conductances of many boards: what compiling with each of the draws would put into the arrays.

    The blueprint must be a nominal one (analogue, no error), or the draws come on top of its own. A deck states its
    conductances with seven digits, these are not rounded.

    Args:
        draws: one a board, each with a seed of its own.
        window: that the twin was compiled for.
    Returns:
        A layer, a tile: (boards, 32, 32) [S], for :func:`cosim.behavioural.board.make_board`.
    """
    return [
        [torch.as_tensor(np.stack([one.apply(g, window, number, tile.row, tile.column) for one in draws]), dtype=dtype)
         for tile, g in zip(spec.tiles, tiles, strict=True)]
        for number, (spec, tiles) in enumerate(zip(blueprint.board.layers, blueprint.conductances, strict=True), start=1)
    ]


def batches(blueprint: Blueprint, draws: Sequence[Programming], window: Window, size: int = BATCH) -> Iterator[Board]:
    """Boards of any number of draws, so many at a time: memory does not grow with their number.

    Args:
        blueprint, draws, window: as for :func:`programmed`.
        size: boards of a batch; the last one has what is left.
    """
    arrays = solve_arrays(blueprint)
    for first in range(0, len(draws), size):
        yield make_board(blueprint, conductances=programmed(blueprint, draws[first : first + size], window), arrays=arrays)
