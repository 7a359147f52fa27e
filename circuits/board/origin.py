"""Where an element of a layer's macromodel comes from: the cells whose currents its value is the sum of.

An element is a ratio that a measurement would give: hold the layer's lines at some voltages, read the current of one of them.
That current is the sum of the currents of the cells along the line, in every array that the line runs through. They are worked
out here from the programmed conductances, each array by itself, and not from the reduced network that was drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.macromodel import SQUARE, split_squares
from circuits.array.network import cell_currents, cell_curvature, port_network
from circuits.array.star import star
from circuits.array.tiling import Tile
from circuits.board.layer import LayerSpec
from circuits.errors import CircuitError

_NAME = re.compile(r"(?P<letter>[rgcb])_(?P<first>bl|sl|sq|mean)(?P<index>\d+)"
                   r"(?:_(?:(?P<other>bl|sl)(?P<number>\d+)|(?P<place>gnd|vsub|star)))?")
FORMS = ("g_bl<c>_sl<r>, r_bl<c>_sl<r>, g_bl<c>_bl<d>, r_sl<r>_star, r_bl<c>_gnd, r_sl<r>_gnd, r_bl<c>_vsub, r_sl<r>_vsub, "
         "c_bl<c>, c_sl<r>, b_sq<j>, g_sq<j>_sl<r>, b_mean<i>, g_mean<i>_sl<r>")


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one cell adds to an element."""

    tile: str  # array, and its file of conductances
    row: int  # of the array
    column: int
    programmed: float  # S
    ideal: float  # what it would add if no wire had a resistance, in the element's unit
    value: float  # what it adds


@dataclass(frozen=True, kw_only=True)
class Origin:
    """An element and the cells that make it."""

    layer: str
    element: str
    meaning: str  # one sentence
    unit: str  # of the shares: "S", "F" or "A/V^2"
    shares: tuple[Share, ...]  # of cells; none of an element that no cell makes
    total: float  # sum of the shares, or what stands in their place
    remark: str  # how the deck's number follows from the total; "": it is the total
    deck: float  # the number that the deck must then hold; nan: an expression that no cell enters


def origin(spec: LayerSpec, conductances: Sequence[np.ndarray], element: str) -> Origin:
    """Cells that an element of a layer's macromodel is the sum of.

    Args:
        spec: of the layer.
        conductances: for every tile (32, 32) [S], as programmed.
        element: as its block names it, e.g. g_bl3_sl4.
    Raises:
        CircuitError: no element of this layer has such a name; :data:`FORMS` are those there are.
    """
    return _Layer(spec, conductances).origin(element.lower())


def macro_file(spec: LayerSpec) -> str:
    """File in ``blocks`` that holds a layer's macromodel."""
    return f"array{'' if spec.is_one_tile else 's'}_{spec.name}_macro.inc"


class _Layer:
    def __init__(self, spec: LayerSpec, conductances: Sequence[np.ndarray]) -> None:
        self.spec, self.tiles, self.g = spec, spec.tiles, conductances
        self.hanging = frozenset(spec.hanging)
        self.two_way = frozenset() if spec.one_way else self.hanging

    def origin(self, element: str) -> Origin:
        name = _NAME.fullmatch(element)
        kinds: dict[tuple, Callable[..., Origin]] = {
            ("g", "bl", "sl"): self._feed, ("r", "bl", "sl"): self._feed, ("g", "bl", "bl"): self._pair,
            ("r", "sl", "star"): self._star, ("r", "bl", "gnd"): self._load, ("r", "sl", "gnd"): self._load,
            ("r", "bl", "vsub"): self._substrate, ("r", "sl", "vsub"): self._substrate, ("c", "bl", None): self._wire,
            ("c", "sl", None): self._wire, ("g", "sq", "sl"): self._square, ("g", "mean", "sl"): self._mean,
            ("b", "sq", None): self._node, ("b", "mean", None): self._node,
        }
        kind = (name["letter"], name["first"], name["other"] or name["place"]) if name else None
        if kind not in kinds:
            raise self._unknown(element)
        numbers = [int(name[group]) for group in ("index", "number") if name[group]]
        limits = {"bl": self.spec.n_bit_lines, "sl": self.spec.n_outputs, "sq": self.spec.n_bit_lines // 2,
                  "mean": -(-self.spec.n_bit_lines // SIZE)}
        lines = [line for line in (name["first"], name["other"]) if line]
        if any(number >= limits[line] for line, number in zip(lines, numbers, strict=True)):
            raise self._unknown(element)
        return kinds[kind](element, *numbers)

    def _unknown(self, element: str) -> CircuitError:
        return CircuitError(f"layer {self.spec.name} has no element {element}, with bit lines bl0 to "
                            f"bl{self.spec.n_bit_lines - 1} and source lines sl0 to sl{self.spec.n_outputs - 1}")

    def _feed(self, element: str, line: int, k: int) -> Origin:
        both_ways = line in self.two_way
        if (element[0] == "r") != both_ways:
            raise self._unknown(element)
        what = f"conductance between bl{line} and sl{k}" if both_ways else f"what bl{line} feeds into sl{k}"
        return self._made(element, f"{what}: current into sl{k} with bl{line} at 1 V and every other line at 0 V",
                          self._measured(f"sl{k}", {line: 1.0}))

    def _pair(self, element: str, line: int, sense: int) -> Origin:
        partner = sense ^ 1
        together = line // SIZE == sense // SIZE and line // 2 != sense // 2
        if line not in self.hanging or partner in self.hanging or not together:
            raise self._unknown(element)
        shares = self._measured(f"bl{line}", {sense: -1.0, partner: 1.0})
        return self._made(element, f"current into bl{line}, while that hangs, per volt between bl{sense} at +v and bl{partner} "
                                   "at -v: the cells along it", shares)

    def _load(self, element: str, index: int) -> Origin:
        if element.startswith("r_sl"):
            held = {line: 1.0 for line in self.two_way}
            shares = self._measured(f"sl{index}", held, sources=1.0, substrate=1.0, sign=-1.0)
            return self._made(element, f"load of sl{index}: current that it takes per volt, from the bit lines that have no "
                                       "resistor to it", shares)
        line = {index: 1.0}
        if index not in self.hanging:
            return self._made(element, f"load of bl{index}: current that it takes per volt with every other line at 0 V",
                              self._measured(f"bl{index}", line))
        shares = self._measured(f"bl{index}", line | {index ^ 1: -1.0}, sources=float(index in self.two_way), substrate=1.0)
        return self._made(element, f"load of bl{index}, its pair's other line at minus its voltage: current that it takes per "
                                   "volt" + (", source lines at the same voltage" if index in self.two_way else ""), shares)

    def _substrate(self, element: str, index: int) -> Origin:
        pin = element[2:4]
        if pin == "bl" and index not in self.hanging:
            raise self._unknown(element)
        shares = self._measured(f"{pin}{index}", {}, substrate=-1.0, sign=-1.0 if pin == "sl" else 1.0)
        return self._made(element, f"leakage of the junctions along {pin}{index} into the substrate, per volt", shares)

    def _star(self, element: str, k: int) -> Origin:
        shares = self._measured(f"sl{k}", {}, others=1.0)
        first, spec, totals = k - k % SIZE, self.spec, 0.0
        for tile, g in zip(self.tiles, self.g, strict=True):
            if self._place(tile, "sl", k) is not None:
                network = port_network(g, selected=np.arange(SIZE) < tile.n_outputs, wires=spec.wires, r_port=spec.r_port,
                                       r_on=spec.transistor.on_resistance(), gmin=spec.transistor.junction())
                totals = totals + network[SIZE : SIZE + tile.n_outputs, SIZE : SIZE + tile.n_outputs].sum(axis=1)
        leg = float(star(totals)[k - first])
        if leg <= 0:
            raise self._unknown(element)
        return self._made(element, f"leg of sl{k} in the star that stands for the couplings of the source lines from sl{first} "
                                   "on: current into it with all others at 1 V", shares, deck=1.0 / leg,
                          remark=f"the star in which each source line has such a sum has a leg of {leg:.9g} S here")

    def _wire(self, element: str, index: int) -> Origin:
        pin = element[2:4]
        arrays = [tile for tile in self.tiles if self._place(tile, pin, index) is not None]
        total = len(arrays) * SIZE * self.spec.wires.capacitance
        return Origin(layer=self.spec.name, element=element, unit="F", shares=(), total=total, remark="", deck=total,
                      meaning=f"{SIZE} wire segments of {self.spec.wires.capacitance:g} F of {pin}{index} in each of "
                              f"{', '.join(tile.name for tile in arrays)}")

    def _node(self, element: str, index: int) -> Origin:
        _, place = element.split("_")
        alike, rest = self._split(index if place.startswith("mean") else index // (SIZE // 2))
        if not (alike if place.startswith("mean") else rest[:, index % (SIZE // 2)]).any():
            raise self._unknown(element)
        what = (f"pair {index}: {SQUARE:g} 1/V times v squared" if place.startswith("sq") else
                f"mean of {SQUARE:g} 1/V times v squared over the pairs of bl{SIZE * index} and the lines behind it")
        return Origin(layer=self.spec.name, element=element, unit="V", shares=(), total=np.nan, remark="", deck=np.nan,
                      meaning=f"node {place} holds the square of the voltage of {what}; no cell enters it")

    def _square(self, element: str, j: int, k: int) -> Origin:
        shares = self._curved(k, j)
        alike, rest = self._split(j // (SIZE // 2))
        own = rest[k, j % (SIZE // 2)]
        if not own:
            raise self._unknown(element)
        less = f"less {alike[k]:.4g} A/V^2, which g_mean{j // (SIZE // 2)}_sl{k} takes at every pair, and " if alike[k] else ""
        return self._made(element, f"what the curvature of the select transistors of pair {j} takes from sl{k}", shares,
                          unit="A/V^2", remark=f"{less}divided by {SQUARE:g} 1/V, the scale of node sq{j}", deck=own / SQUARE)

    def _mean(self, element: str, place: int, k: int) -> Origin:
        alike, rest = self._split(place)
        if not alike[k]:
            raise self._unknown(element)
        pairs = [place * SIZE // 2 + j for j in range(rest.shape[1]) if not rest[k, j]]
        shares = [share for j in pairs for share in self._curved(k, j)]
        return self._made(element, f"what the curvature of the select transistors takes from sl{k} at {len(pairs)} pairs that "
                                   "are alike", shares, unit="A/V^2", deck=alike[k] * rest.shape[1] / SQUARE,
                          remark=f"their mean, times {rest.shape[1]} pairs, divided by {SQUARE:g} 1/V, the scale of node "
                                 f"mean{place}")

    def _curved(self, k: int, j: int) -> list[Share]:
        """The two cells of a pair."""
        shares = []
        for tile, g in zip(self.tiles, self.g, strict=True):
            row, column = self._place(tile, "sl", k), self._place(tile, "bl", 2 * j)
            if row is not None and column is not None:
                curvature = self._curvature(tile, g)
                shares += [Share(tile=tile.name, row=row, column=cell, programmed=float(g[row, cell]),
                                 ideal=float(curvature[row, cell]), value=float(curvature[row, cell]))
                           for cell in (column, column + 1)]
        return shares

    def _split(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        arrays = [self._curvature(tile, g)[: tile.n_outputs, : tile.n_lines]
                  for tile, g in zip(self.tiles, self.g, strict=True) if tile.column == place]
        return split_squares(np.concatenate(arrays))

    def _curvature(self, tile: Tile, g: np.ndarray) -> np.ndarray:
        transistor = self.spec.transistor
        return cell_curvature(g, selected=np.arange(SIZE) < tile.n_outputs, r_on=transistor.on_resistance(),
                              curvature=transistor.curvature())

    def _place(self, tile: Tile, pin: str, index: int) -> int | None:
        """Row or column of an array at which one of the layer's lines is; None: the line does not run through it."""
        first, count = (tile.first_line, tile.n_lines) if pin == "bl" else (tile.first_output, tile.n_outputs)
        return index - first if first <= index < first + count else None

    def _measured(self, pin: str, lines: dict[int, float], *, sources: float = 0.0, others: float | None = None,
                  substrate: float = 0.0, sign: float = 1.0) -> list[Share]:
        """Cells along a line, and the current of each, with the layer's lines held.

        Args:
            pin: whose current is read, into a bit line or out of a source line; times ``sign``.
            lines: voltage [V] of bit lines; the others are at 0 V.
            sources: voltage [V] of the source lines.
            others: voltage [V] of the source lines but ``pin``; None: as ``sources``.
            substrate: its voltage [V].
        """
        kind, index, spec = pin[:2], int(pin[2:]), self.spec
        shares = []
        for tile, g in zip(self.tiles, self.g, strict=True):
            place = self._place(tile, kind, index)
            if place is None:
                continue
            bits = [lines.get(tile.first_line + column, 0.0) for column in range(SIZE)]
            rows = [sources if others is None or row == place else others for row in range(SIZE)]
            volts, selected, r_on = np.array(bits + rows), np.arange(SIZE) < tile.n_outputs, spec.transistor.on_resistance()
            taken, given = cell_currents(g, volts, selected=selected, wires=spec.wires, r_on=r_on, r_port=spec.r_port,
                                         gmin=spec.transistor.junction(), substrate=substrate)
            current = taken if kind == "bl" else given
            bare = np.where(selected[:, None], g / (1.0 + g * r_on), 0.0) * (volts[None, :SIZE] - volts[SIZE:, None])
            along = [(cell, place) if kind == "bl" else (place, cell) for cell in range(SIZE)]  # also where nothing but gmin is
            shares += [Share(tile=tile.name, row=row, column=column, programmed=float(g[row, column]),
                             ideal=float(sign * bare[row, column]), value=float(sign * current[row, column]))
                       for row, column in along]
        return shares

    def _made(self, element: str, meaning: str, shares: Sequence[Share], *, unit: str = "S", remark: str = "",
              deck: float | None = None) -> Origin:
        total = float(sum(share.value for share in shares))
        if deck is None:
            deck = 1.0 / total if element[0] == "r" else total
            remark = "the deck has its inverse, in ohm" if element[0] == "r" else ""
        return Origin(layer=self.spec.name, element=element, meaning=meaning, unit=unit, shares=tuple(shares), total=total,
                      remark=remark, deck=float(deck))
