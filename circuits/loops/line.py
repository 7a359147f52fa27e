"""A crossbar line as the amplifier at its end sees it: one conductance and one capacitance to ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.network import port_network
from circuits.board.layer import LayerSpec


@dataclass(frozen=True, kw_only=True)
class Line:
    """Driving-point admittance of a line, all other lines held: g + s c."""

    g: float = 0.0  # S
    c: float = 0.0  # F

    def __add__(self, other: Line) -> Line:
        return Line(g=self.g + other.g, c=self.c + other.c)


@dataclass(frozen=True, kw_only=True)
class LayerLines:
    """Every line of a layer's arrays."""

    sources: tuple[Line, ...]  # one an output
    bits: tuple[Line, ...]  # one a bit line in use


def layer_lines(spec: LayerSpec, conductances: Sequence[np.ndarray], stray: float = 0.0) -> LayerLines:
    """Lines of a layer: its cells, select transistors, wires and board wires, tiles of one line in parallel.

    The wires' capacitance stands at the line's end: their 48 ohm to the far cell matter from 100 MHz on, with 1 pF a cell.
    Memristors are taken at their conductance at 0 V, also with a kappa.

    Args:
        conductances: (32, 32) [S] a tile, as programmed.
        stray: [F], at every pin of every array, beside the wires.
    """
    sources = [Line() for _ in range(spec.n_outputs)]
    bits = [Line() for _ in range(spec.n_bit_lines)]
    wire = Line(c=SIZE * spec.wires.capacitance + stray)
    for tile, g in zip(spec.tiles, conductances, strict=True):
        between = port_network(g, selected=np.arange(SIZE) < tile.n_outputs, wires=spec.wires,
                               r_on=spec.transistor.on_resistance(), r_port=0.0 if spec.is_one_tile else spec.r_board)
        whole = between.sum(axis=1)
        for k in range(tile.n_outputs):
            sources[tile.first_output + k] += wire + Line(g=float(whole[SIZE + k]))
        for k in range(tile.n_lines):
            bits[tile.first_line + k] += wire + Line(g=float(whole[k]))
    return LayerLines(sources=tuple(sources), bits=tuple(bits))
