"""The macromodel of arrays: conductances between their pins replace cells and wires."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

import numpy as np

from circuits.array.crossbar import SIZE, array_pins
from circuits.array.network import cell_curvature, port_network
from circuits.array.select_transistor import SelectTransistor
from circuits.array.star import star
from circuits.array.wires import Wires
from circuits.netlist.block import Block
from circuits.netlist.plain_lines import PlainLines

# V/V^2, scale of the nodes that hold the square of a pair's voltage. At full scale they are at 4 mV, of which a microvolt, the
# solver's tolerance, is 3e-4. If they were at volts, the relative tolerance would demand another iteration at every point.
SQUARE = 0.1
READ = 0.2  # V, full scale of a line
SMALLEST = 2e-12  # A at full scale, a ten-millionth of a full-scale cell current; smaller curvature currents are left out
ALIKE = 1e-11  # A at full scale, half a millionth of it: as far may pairs be off their median that share a mean
TERM = 5  # elements whose time a term of a mean takes the solver


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduced:
    """What is left of an array, or of arrays side by side, when cells and wires are reduced away.

    The pins are every bit line, every source line and the substrate. An array has 32 of either line; arrays side by side
    (:func:`circuits.array.merged.side_by_side`) have as many times that as there are columns and rows of arrays.
    """

    between: np.ndarray  # (pins, pins) [S], :func:`circuits.array.network.port_network`
    curvature: np.ndarray  # (source lines, bit lines) [A/V^2], :func:`circuits.array.network.cell_curvature`

    @property
    def n_sources(self) -> int:
        """Source lines, used or not."""
        return self.curvature.shape[0]

    @property
    def n_bits(self) -> int:
        """Bit lines, used or not; source line k is pin ``n_bits + k`` of ``between``."""
        return self.curvature.shape[1]

    @property
    def selected(self) -> list[int]:
        """Source lines that conduct."""
        return [k for k in range(self.n_sources) if self.between[self.n_bits + k].any()]


def reduce_array(g: np.ndarray, *, n_outputs: int, wires: Wires, transistor: SelectTransistor, r_port: float = 0.0) -> Reduced:
    """Reduce an array to the conductances between its pins.

    Args:
        g: (32, 32) [S], as programmed.
        n_outputs: number of rows in use, from row 0 on. The word lines of the other rows are low.
        wires: wire segments of the array.
        transistor: select transistor of the cells.
        r_port: board wire in series with every pin [ohm].
    """
    selected, r_on = np.arange(SIZE) < n_outputs, transistor.on_resistance()
    return Reduced(
        between=port_network(g, selected=selected, wires=wires, r_on=r_on, r_port=r_port, gmin=transistor.junction()),
        curvature=cell_curvature(g, selected=selected, r_on=r_on, curvature=transistor.curvature()))


def array_macro(name: str, reduced: Reduced, *, n_lines: int, wires: Wires, hanging: Sequence[int] = (),
                one_way: bool = False) -> Block:
    """An array of linear memristors on a board, with the pins of :func:`circuits.array.crossbar.memristor_array`.

    The Schur complement gives the conductance between every two pins. The macromodel keeps what matters on the board:

    * Bit lines 2j and 2j+1 are a pair at +v and -v. An op-amp drives each line, except that a ``hanging`` line is not driven
      while its neuron is off. What flows back from the source lines does not move a driven line, so a transconductance to each
      source line and a load stand for it. Left out is the source lines' 0.1 mV through that load, times the op-amp's
      closed-loop output resistance.
    * Between a hanging line and the source lines there are resistors. With ``one_way`` there are transconductances and a load
      instead: the matrix that the solver has to factor is then sparse, which a layer of many arrays needs. Left out is that a
      hanging line sits at the source lines' mean and not at ground, which is 2e-5 of the Lorenz96 twin's full scale. It is
      more when all op-amps have the same offset, because the hanging lines then count in the source lines' noise gain.
    * From another pair, a hanging line takes the difference of its couplings to the two lines of that pair.
    * Source lines couple through a star (:func:`circuits.array.star.star`). Left out is how far single couplings differ from
      it, a tenth of a coupling, times the source lines' 0.1 mV.
    * The transistors' curvature, 1.4e-5 of a full-scale cell current, is kept to second order. For each pair of bit lines a
      node at 0.1/V times the square of the pair's voltage takes current from the source lines through transconductances.
      Where many pairs are alike, one such node at their mean stands for them (:func:`split_squares`).

    ``benchmarks/macromodel.py`` prints the error that all of this leaves on the HP twin and on a twin of twelve tiles.

    The word lines are not connected: the macromodel holds for the word lines with which the array was reduced. Bit lines from
    ``n_lines`` on must be grounded, as they are on the board.

    Args:
        name: of the tile.
        reduced: the conductances between the pins.
        n_lines: number of bit lines in use.
        wires: wire segments, whose capacitance is placed at the pins.
        hanging: bit lines that nothing drives while their neuron is off, at most one of each pair.
        one_way: nothing flows back into hanging lines either.
    """
    s = PlainLines(f"array_{name}", *array_pins())
    notes = add_elements(s, reduced, n_lines=n_lines, wires=wires, hanging=hanging, one_way=one_way)
    return Block(
        netlist=s,
        file_stem=f"array_{name}_macro",
        purpose="32x32 1T1R array, cells and wires reduced to what is between its pins (Schur complement)",
        notes=notes,
        pins={
            f"bl0..bl{SIZE - 1}": "bit lines in pairs, +v and -v"
            + (f"; from bl{n_lines} on to be grounded" if n_lines < SIZE else "")
            + (f"; {'odd' if hanging[0] % 2 else 'even'} ones may hang, op-amps drive the others" if hanging
               else "; op-amps drive them"),
            f"sl0..sl{SIZE - 1}": "source lines, held at virtual ground",
            f"wl0..wl{SIZE - 1}": "word lines, not connected: the rows that were selected are in the conductances",
            "vsub": "substrate, takes the junctions' gmin",
        },
        drawing="\n".join(legend(notes)),
    )


LEGEND = f"""
    g_bl<c>_sl<r> in S: what bit line c feeds into source line r; r_bl<c>_sl<r> in ohm: both ways
    g_bl<c>_bl<d>: what pair d feeds into line c while that hangs; r_sl<r>_star: couplings of the source lines
    r_<pin>_gnd, r_<pin>_vsub: the pin's load; c_<pin> in F: a line's wire segments lumped at its pin
    b_sq<j>, g_sq<j>_sl<r>: what the select transistors' curvature takes from source line r at +-v on pair j; inner
    node sq<j> is at {SQUARE:g} 1/V times v squared
"""
MEANS = f"""
    b_mean<i>, g_mean<i>_sl<r>: what it takes at every pair of bl<{SIZE} i> to bl<{SIZE} i + {SIZE - 1}> alike, where
    g_sq<j>_sl<r> is what a pair takes more; inner node mean<i> is at {SQUARE:g} 1/V times the mean of their v squared
"""


def legend(notes: Collection[str]) -> list[str]:
    """What the elements of a macromodel stand for, as the lines of a block's drawing.

    Args:
        notes: names of the elements that have a trailing comment, as :func:`add_elements` returns them.
    """
    has_means = any(name.startswith("b_mean") for name in notes)
    return dedent(LEGEND).strip().splitlines() + (dedent(MEANS).strip().splitlines() if has_means else [])


def add_elements(s: PlainLines, reduced: Reduced, *, n_lines: int, wires: Wires, hanging: Sequence[int],
                 one_way: bool) -> dict[str, str]:
    """Draw what is between the pins of one array, or of arrays side by side, as :func:`array_macro` describes it.

    Returns:
        Trailing comments of the elements, by name.
    """
    hanging = frozenset(hanging)
    two_way = frozenset() if one_way else hanging
    _add_cells(s, reduced, n_lines, two_way)
    _add_pair_couplings(s, reduced.between, n_lines, hanging)
    _add_stars(s, reduced)
    for pin, to_ground, to_substrate in _loads(reduced, n_lines, hanging, two_way):
        s.resistor(f"_{pin}_gnd", pin, "0", _ohms(to_ground))
        if to_substrate > 0:
            s.resistor(f"_{pin}_vsub", pin, "vsub", _ohms(to_substrate))
        segments = reduced.n_sources if pin.startswith("bl") else reduced.n_bits
        s.capacitor(f"_{pin}", pin, "0", segments * wires.capacitance)
    return _add_curvature(s, reduced.curvature[:, :n_lines])


def _add_cells(s: PlainLines, reduced: Reduced, n_lines: int, two_way: frozenset[int]) -> None:
    """Conductances from every bit line to every source line."""
    for k in reduced.selected:
        for line, y in enumerate(reduced.between[reduced.n_bits + k, :n_lines].tolist()):
            if line in two_way:
                s.resistor(f"_bl{line}_sl{k}", f"bl{line}", f"sl{k}", _ohms(y))
            else:
                s.transconductance(f"_bl{line}_sl{k}", "0", f"sl{k}", f"bl{line}", _digits(y))


def _add_pair_couplings(s: PlainLines, between: np.ndarray, n_lines: int, hanging: frozenset[int]) -> None:
    """Conductances from every other pair of the same arrays to a line that may hang."""
    for line in sorted(hanging):
        first = line - line % SIZE  # of the arrays that the line runs through
        for j in range(first // 2, min(first + SIZE, n_lines) // 2):
            sense, partner = pair_senses(j, hanging)
            y = between[line, sense] - between[line, partner]
            if j != line // 2 and y:
                s.transconductance(f"_bl{line}_bl{sense}", "0", f"bl{line}", f"bl{sense}", _digits(y))


def pair_senses(j: int, hanging: Collection[int]) -> tuple[int, int]:
    """The line of pair j that is sensed, the one that may hang if there is one, and its partner, at minus its voltage."""
    return (2 * j + 1, 2 * j) if 2 * j + 1 in hanging else (2 * j, 2 * j + 1)


def _add_stars(s: PlainLines, reduced: Reduced) -> None:
    """Couplings of the source lines, which meet in the arrays of one row: a star a row."""
    selected = reduced.selected
    for first in range(0, reduced.n_sources, SIZE):
        rows = [k for k in selected if first <= k < first + SIZE]
        pins = slice(reduced.n_bits + first, reduced.n_bits + first + SIZE)
        totals = reduced.between[pins, pins].sum(axis=1)[[k - first for k in rows]]
        centre = "star" if reduced.n_sources == SIZE else f"star{first // SIZE}"
        for k, leg in zip(rows, star(totals), strict=True):
            if leg > 0:
                s.resistor(f"_sl{k}_star", f"sl{k}", centre, _ohms(leg))


def _loads(reduced: Reduced, n_lines: int, hanging: frozenset[int],
           two_way: frozenset[int]) -> Iterator[tuple[str, float, float]]:
    """For every pin its name, and its conductances to ground and to the substrate [S]."""
    between, n_bits = reduced.between, reduced.n_bits
    for line in range(n_lines):
        if line in hanging:  # its partner is at minus its own voltage and therefore counts twice
            loads = between[line, : n_bits if line in two_way else -1]
            yield f"bl{line}", loads.sum() + between[line, line ^ 1], between[line, -1]
        else:
            yield f"bl{line}", between[line].sum(), 0.0
    others = np.setdiff1d(np.arange(n_bits), sorted(two_way))  # including the grounded lines
    for k in reduced.selected:
        yield f"sl{k}", between[n_bits + k, others].sum(), between[n_bits + k, -1]


def split_squares(curvature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide the curvature of pairs at source lines into what a source line has at all of these pairs alike, and the rest.

    Most cells of a trained network rest at the low end of the window, with nearly the same small curvature. One element per
    source line then stands for all of them, at their mean. A pair that is off their median by more than ALIKE, at full scale,
    keeps an element for the rest. Left out is at most twice ALIKE a pair, and of both signs, so that most of it cancels.
    Where this does not halve the work, every pair above SMALLEST keeps its element, and no more than SMALLEST is left out.

    Args:
        curvature: (source lines, bit lines in use) [A/V^2], of arrays that share their bit lines.
    Returns:
        (source lines,) [A/V^2], at every pair; (source lines, pairs) [A/V^2], in addition, zero where there is no element.
    """
    pairs = curvature[:, 0::2] + curvature[:, 1::2]
    each = np.where(pairs > SMALLEST / READ**2, pairs, 0.0)
    off = np.abs(pairs - np.median(pairs, axis=1, keepdims=True)) > ALIKE / READ**2
    alike = np.where(off, 0.0, pairs).sum(axis=1) / np.maximum(1, np.count_nonzero(~off, axis=1))
    rest = np.where(off, pairs - alike[:, None], 0.0)
    work = np.count_nonzero(rest) + np.count_nonzero(alike) + TERM * pairs.shape[1]
    return (alike, rest) if 2 * work < np.count_nonzero(each) else (np.zeros(len(pairs)), each)


def _add_curvature(s: PlainLines, curvature: np.ndarray) -> dict[str, str]:
    """Squares of the pairs' voltages, one node each, and what every source line loses at them."""
    notes = {}
    for first in range(0, curvature.shape[1], SIZE):
        alike, rest = split_squares(curvature[:, first : first + SIZE])
        places, place = range(first // 2, first // 2 + rest.shape[1]), first // SIZE
        if alike.any():
            squares = " + ".join(f"v(bl{2 * j})*v(bl{2 * j})" for j in places)
            s.voltage(f"_mean{place}", f"mean{place}", f"{SQUARE / len(places):.10g}*({squares})")
            notes[f"b_mean{place}"] = "V"
        for k in np.flatnonzero(alike):
            s.transconductance(f"_mean{place}_sl{k}", f"sl{k}", "0", f"mean{place}", _rounded(len(places) * alike[k] / SQUARE))
        for j, own in zip(places, rest.T, strict=True):
            rows = np.flatnonzero(own)
            if rows.size:
                s.voltage(f"_sq{j}", f"sq{j}", f"{SQUARE:g}*v(bl{2 * j})*v(bl{2 * j})")
                notes[f"b_sq{j}"] = "V"
            for k in rows:
                s.transconductance(f"_sq{j}_sl{k}", f"sl{k}", "0", f"sq{j}", _rounded(own[k] / SQUARE))
    return notes


def _rounded(curvature: float) -> float:
    return float(f"{curvature:.4g}")


def _ohms(conductance: float) -> float:
    return _digits(1.0 / conductance)


def _digits(value: float) -> float:
    return float(f"{value:.13g}")
