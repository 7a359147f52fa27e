"""Port conductances of a layer's arrays as tensors, for one board or for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from circuits.array.crossbar import SIZE
from circuits.array.network import GMIN, cell_curvature, cell_drops, port_network
from circuits.array.tiling import Tile
from circuits.board.layer import LayerSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Ports:
    """A layer's arrays between its lines: the current into pin i is sum_j y[i, j] v_j + leak[i].

    Pins: the layer's bit lines, then its source lines. Curvature takes the current curvature[k, j] * v_j^2 from source
    line k, v_j the voltage of pair j.
    """

    y: torch.Tensor  # (boards, pins, pins) [S]
    leak: torch.Tensor  # (pins,) [A], into the pins at 0 V: gmin of the cells' junctions to the negative supply
    curvature: torch.Tensor  # (outputs, pairs) [A/V^2], of the nominal board


@dataclass(frozen=True, kw_only=True, eq=False)
class TilePorts:
    """One array's pins in use, each behind its board wire if the layer has several; exact at its nominal conductances."""

    tile: Tile
    g: torch.Tensor  # (outputs, 32) [S], nominal, rows in use
    y: torch.Tensor  # (pins, pins) [S], at the nominal conductances
    leak: torch.Tensor  # (pins,) [A]
    drops: torch.Tensor  # (pins, outputs * 32) [V/V], voltage across each cell per volt at a pin
    g_on: float  # S, select transistor

    def at(self, g: torch.Tensor | None) -> torch.Tensor:
        """(boards, pins, pins) [S] at other conductances (boards, 32, 32), or at the nominal ones.

        Cell and transistor in series are exact, what the changed current drops along the wires is first order: the error
        is the square of the change times the wires' resistance, see docs/explanation/behavioural.md.
        """
        if g is None:
            return self.y[None]
        change = (_series(g[:, : self.g.shape[0]], self.g_on) - _series(self.g, self.g_on)).flatten(1)
        upper = torch.triu_indices(*self.y.shape)  # the network is reciprocal
        per_cell = self.drops[upper[0]] * self.drops[upper[1]]  # (pairs of pins, cells)
        place = torch.empty(self.y.shape, dtype=torch.long)
        place[upper[0], upper[1]] = place[upper[1], upper[0]] = torch.arange(upper.shape[1])
        return self.y + (change @ per_cell.T)[:, place]


def nominal_ports(spec: LayerSpec, conductances: Sequence[np.ndarray], dtype: torch.dtype) -> tuple[TilePorts, ...]:
    """Solve every array of a layer at its programmed conductances (32, 32) [S], a tile each."""
    return tuple(_solve_tile(spec, tile, g, dtype) for tile, g in zip(spec.tiles, conductances, strict=True))


def layer_ports(spec: LayerSpec, tiles: Sequence[TilePorts], conductances: Sequence[torch.Tensor] | None) -> Ports:
    """Join a layer's tiles.

    Args:
        tiles: of :func:`nominal_ports`.
        conductances: a tile (boards, 32, 32) [S]; None: the nominal ones. Differentiable; at the nominal conductances
            values and gradients are exact.
    """
    given = conductances if conductances is not None else [None] * len(tiles)
    y_tiles = [tile.at(g) for tile, g in zip(tiles, given, strict=True)]
    n_lines, pins = spec.n_bit_lines, spec.n_bit_lines + spec.n_outputs
    if spec.is_one_tile and len(y_tiles[0][0]) == pins:
        return Ports(y=y_tiles[0], leak=tiles[0].leak, curvature=_curvature(spec, tiles[0]))
    y = y_tiles[0].new_zeros(max(len(one) for one in y_tiles), pins, pins)
    leak = y.new_zeros(pins)
    curvature = y.new_zeros(spec.n_outputs, n_lines // 2)
    for part, y_tile in zip(tiles, y_tiles, strict=True):
        tile = part.tile
        where = torch.cat([torch.arange(pins)[tile.lines], n_lines + torch.arange(spec.n_outputs)[tile.outputs]])
        y = y.index_put((torch.arange(len(y))[:, None, None], where[:, None], where[None, :]), y_tile, accumulate=True)
        leak = leak.index_add(0, where, part.leak)
        curvature[tile.outputs, tile.first_line // 2 : (tile.first_line + tile.n_lines) // 2] += _curvature(spec, part)
    return Ports(y=y, leak=leak, curvature=curvature)


def _series(g: torch.Tensor, g_on: float) -> torch.Tensor:
    return g * g_on / (g + g_on + GMIN)


def _solve_tile(spec: LayerSpec, tile: Tile, g: np.ndarray, dtype: torch.dtype) -> TilePorts:
    selected, r_on = np.arange(SIZE) < tile.n_outputs, spec.transistor.on_resistance()
    r_port = 0.0 if spec.is_one_tile else spec.r_board
    between = port_network(g, selected=selected, wires=spec.wires, r_on=r_on, r_port=r_port,
                           gmin=spec.transistor.junction())
    used = np.concatenate([np.arange(tile.n_lines), SIZE + np.arange(tile.n_outputs)])
    y = np.diag(between.sum(axis=1)) - between
    # rows that are off conduct nothing, and drops in them move nothing
    rows = tile.n_outputs
    drops = cell_drops(g[:rows], selected=selected[:rows], wires=spec.wires, r_on=r_on, r_port=r_port)
    drops = drops[np.concatenate([np.arange(tile.n_lines), SIZE + np.arange(rows)])].reshape(used.size, -1)

    def tensor(a: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(a), dtype=dtype)

    return TilePorts(tile=tile, g=tensor(g[:rows]), y=tensor(y[np.ix_(used, used)]),
                     leak=tensor(-spec.transistor.bulk * between[used, -1]), drops=tensor(drops), g_on=1 / r_on)


def _curvature(spec: LayerSpec, part: TilePorts) -> torch.Tensor:
    g = part.g.double().numpy()
    cells = cell_curvature(g, selected=np.full(len(g), True), r_on=1 / part.g_on, curvature=spec.transistor.curvature())
    pairs = cells[:, 0 : part.tile.n_lines : 2] + cells[:, 1 : part.tile.n_lines : 2]
    return torch.as_tensor(pairs, dtype=part.y.dtype)
