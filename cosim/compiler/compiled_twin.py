"""What the compiler makes of a network: arrays, layers, a board, and what a user should know of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np

from circuits.array.conductances import DIGITS
from circuits.array.tiling import Tile
from circuits.array.window import Window
from circuits.board.board import BoardSpec
from circuits.board.layer import LayerSpec
from cosim.compiler.compensation import Compensated
from cosim.compiler.options import Options
from cosim.compiler.scaling import Scales
from cosim.problem.network import Network

LOST = 0.1  # part of a weight by which rounding to a deck's digits may change it before it is named


@dataclass(frozen=True, kw_only=True)
class CompiledTile:
    """One array."""

    tile: Tile
    wanted: Compensated
    g: np.ndarray  # (32, 32) [S], as programmed


@dataclass(frozen=True, kw_only=True)
class CompiledLayer:
    """The arrays of a layer and their feedback resistor."""

    spec: LayerSpec
    window: Window
    target: np.ndarray  # (out, in + bias) [S], wanted differential conductance, the ReLU diode's leakage made good
    column_scale: np.ndarray  # (in + bias,) volts per unit
    out_scale: np.ndarray  # (out,) volts per unit
    tiles: tuple[CompiledTile, ...]

    def unreached(self) -> list[tuple[int, int, float]]:
        """Weights that the window did not allow, as (output, input, residual [S]), worst first."""
        cells = [(array.tile.first_output + output, array.tile.first_line // 2 + column, residual)
                 for array in self.tiles for output, column, residual in array.wanted.unreached()]
        return sorted(cells, key=lambda cell: -abs(cell[2]))

    @property
    def last_digit(self) -> float:
        """Last digit [S] to which a deck states the conductances of a small weight, which lie close to g_min."""
        return 10.0 ** (floor(log10(self.window.g_min)) - DIGITS + 1)

    def lost(self) -> list[tuple[int, int, float]]:
        """Weights that a deck's digits hold badly, as (output, input, part of the weight that may be off), worst first."""
        part = np.divide(0.5 * self.last_digit, np.abs(self.target), out=np.zeros_like(self.target), where=self.target != 0)
        cells = [(int(r), int(c), float(part[r, c])) for r, c in np.argwhere(part > LOST)]
        return sorted(cells, key=lambda cell: -cell[2])

    def notes(self) -> list[str]:
        """What a user should know of the weights, in words: the worst of each kind."""
        notes, largest = [], np.abs(self.target).max(initial=0.0)
        cells = np.concatenate([tile.g.ravel() for tile in self.tiles])
        beyond = (cells < self.window.g_min * (1 - 1e-6)) | (cells > self.window.g_max * (1 + 1e-6))
        if beyond.any():
            notes.append(f"layer {self.spec.name}: the programming error puts {beyond.sum()} of {cells.size} cells outside the "
                         f"window of {1e6 * self.window.g_min:g} to {1e6 * self.window.g_max:g} µS, from "
                         f"{1e6 * cells.min():.1f} to {1e6 * cells.max():.1f} µS, as the error of a real array does")
        if short := self.unreached():
            output, column, residual = short[0]
            notes.append(f"layer {self.spec.name}: {len(short)} of {self.target.size} weights are not reached, the window does "
                         f"not go further; worst: output {output}, input {column}, short by {abs(residual) / largest:.2%} of "
                         "the largest weight; widen the window, or lower the wires' and the transistor's resistance")
        if lost := self.lost():
            output, column, part = lost[0]
            notes.append(f"layer {self.spec.name}: {len(lost)} of {self.target.size} weights are so small beside the largest "
                         f"that a deck's {DIGITS} digits do not hold them to {LOST:.0%}; worst: output {output}, input "
                         f"{column}, off by {f'up to {part:.0%} of' if part < 1 else 'as much as'} itself"
                         f" ({0.5 * self.last_digit / largest:.1e} of the largest weight)")
        return notes


@dataclass(frozen=True, kw_only=True)
class CompiledTwin:
    """A network as a board: topology, scales and conductances."""

    network: Network
    scales: Scales
    board: BoardSpec
    layers: tuple[CompiledLayer, ...]
    options: Options
    notes: tuple[str, ...] = ()  # what a user should know before trusting the board: time scale, weights not reached or lost
