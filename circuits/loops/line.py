"""A line of an array as the amplifier at its end sees it: a conductance and a capacitance to ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.network import port_network
from circuits.board.layer import LayerSpec


@dataclass(frozen=True, kw_only=True)
class Line:
    """Driving-point admittance g + s c of a line while all other lines are held."""

    g: float = 0.0  # S
    c: float = 0.0  # F

    def __add__(self, other: Line) -> Line:
        return Line(g=self.g + other.g, c=self.c + other.c)


@dataclass(frozen=True, kw_only=True)
class LayerLines:
    """Every line of the arrays of a layer."""

    sources: tuple[Line, ...]  # source lines, one per output
    bits: tuple[Line, ...]  # bit lines in use


def layer_lines(spec: LayerSpec, conductances: Sequence[np.ndarray], stray: float = 0.0) -> LayerLines:
    """Lines of a layer, made of its cells, select transistors, wires and board wires; tiles of one line are in parallel.

    The wires' capacitance is placed at the line's end: even with 1 pF per cell, their 48 ohm to the far cell would matter from
    100 MHz on only. Memristors have their conductance at 0 V, also when they have a kappa.

    Args:
        spec: of the layer.
        conductances: for every tile (32, 32) [S], as programmed.
        stray: capacitance [F] at every pin of every array, in addition to the wires.
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
