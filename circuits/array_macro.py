"""The array's macromodel: its exact conductances between pins in the place of its cells and wires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import SubCircuit

from circuits.array import SIZE, array_pins
from circuits.array_network import cell_curvature, port_network
from circuits.block import Block
from circuits.select_transistor import SelectTransistor
from circuits.wires import Wires

# V/V^2, of the nodes that square a pair's voltage: 4 mV at full scale, so that a microvolt, the solver's tolerance, is 3e-4 of
# the curvature. With volts there its relative tolerance would ask for another iteration at every point.
SQUARE = 0.1
READ = 0.2  # V, full scale of a line
SMALLEST = 2e-12  # A at full scale, a ten-millionth of a full-scale cell current: smaller curvature currents are left out
DROP = 1e-12  # of a pin's whole conductance: what all couplings left out at that pin may add up to


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduced:
    """An array without its inside."""

    between: np.ndarray  # (65, 65) [S], :func:`circuits.array_network.port_network`
    curvature: np.ndarray  # (32, 32) [A/V^2], :func:`circuits.array_network.cell_curvature`


def reduce_array(g: np.ndarray, *, n_outputs: int, wires: Wires, transistor: SelectTransistor, r_port: float = 0.0) -> Reduced:
    """Reduce an array to what is between its pins.

    Args:
        g: (32, 32) [S], as programmed.
        n_outputs: rows in use, from row 0 on; the others' word lines are low.
        r_port: board wire in series with every pin [ohm].
    """
    selected, r_on = np.arange(SIZE) < n_outputs, transistor.on_resistance()
    return Reduced(
        between=port_network(g, selected=selected, wires=wires, r_on=r_on, r_port=r_port, gmin=transistor.junction()),
        curvature=cell_curvature(g, selected=selected, r_on=r_on, curvature=transistor.curvature()))


def array_macro(name: str, reduced: Reduced, *, n_lines: int, wires: Wires, drop: float = DROP) -> Block:
    """An array of linear memristors, same pins as :func:`circuits.array.memristor_array`, nothing inside.

    The transistors' curvature, 1.4e-5 of a full-scale cell current, is kept to second order: a node a pair of bit lines,
    at -0.1/V times the square of its voltage, drives the source lines through resistors of ten megohm and more. Bit lines
    2j and 2j+1 must therefore be a pair, +v and -v.

    Word lines are not looked at: the file holds for the word lines that it was reduced with. Bit lines from ``n_lines`` on
    must be grounded, as they are on the board.

    Args:
        name: of the tile.
        reduced: what the inside was reduced to.
        n_lines: bit lines in use.
        drop: couplings are left out, smallest first, while those left out at a pin carry less than this part of what the
            pin's whole conductance would.
    """
    s = SubCircuit(f"array_{name}", *array_pins())
    between = reduced.between
    pins = (*array_pins()[: 2 * SIZE], "vsub")
    grounded = np.zeros(len(between), dtype=bool)
    grounded[n_lines:SIZE] = True
    used = np.flatnonzero(~grounded & (between.sum(axis=1) > 0))
    kept = _without_small(between, drop)
    for i in used:
        for j in used[used > i]:
            if kept[i, j] > 0:
                s.R(f"_{pins[i]}_{pins[j]}", pins[i], pins[j], _ohms(kept[i, j]))
        to_ground = kept[i, grounded].sum()
        if to_ground > 0:
            s.R(f"_{pins[i]}_gnd", pins[i], 0, _ohms(to_ground))
        if pins[i] != "vsub":
            s.C(f"_{pins[i]}", pins[i], 0, SIZE * wires.capacitance)
    notes = _add_curvature(s, reduced.curvature, n_lines)
    return Block(
        netlist=s,
        file_stem=f"array_{name}_macro",
        purpose="32x32 1T1R array, cells and wires reduced to what is between its pins (Schur complement)",
        notes=notes,
        pins={
            f"bl0..bl{SIZE - 1}": f"bit lines; from bl{n_lines} on to be grounded" if n_lines < SIZE else "bit lines",
            f"sl0..sl{SIZE - 1}": "source lines, held at virtual ground",
            f"wl0..wl{SIZE - 1}": "word lines, not connected: the rows that were selected are in the resistors",
            "vsub": "substrate, takes the junctions' gmin",
        },
        drawing=f"""
            r_<pin>_<pin> in ohm, between two pins; c_<pin> in F, a line's {SIZE} wire segments lumped at its pin
            b_sq<j>, r_sq<j>_sl<k>: what the select transistors' curvature takes from source line k at +-v on pair j
        """,
    )


def _add_curvature(s: SubCircuit, curvature: np.ndarray, n_lines: int) -> dict[str, str]:
    notes = {}
    for j in range(n_lines // 2):
        pair = curvature[:, 2 * j] + curvature[:, 2 * j + 1]
        rows = np.flatnonzero(pair * READ**2 > SMALLEST)
        if rows.size:
            s.B(f"_sq{j}", f"sq{j}", 0, v=f"-{SQUARE:g}*v(bl{2 * j})*v(bl{2 * j})")
            notes[f"b_sq{j}"] = "V"
        for k in rows:
            s.R(f"_sq{j}_sl{k}", f"sq{j}", f"sl{k}", float(f"{SQUARE / pair[k]:.4g}"))
    return notes


def _ohms(conductance: float) -> float:
    return float(f"{1.0 / conductance:.13g}")


def _without_small(between: np.ndarray, drop: float) -> np.ndarray:
    """Symmetric copy without couplings so small that those missing at a pin add up to ``drop`` of its sum at most."""
    kept = between.copy()
    budget = drop * between.sum(axis=1)
    rows, columns = np.triu_indices(len(between), 1)
    for k in np.argsort(between[rows, columns], kind="stable"):
        i, j = rows[k], columns[k]
        if between[i, j] > min(budget[i], budget[j]):
            break
        budget[[i, j]] -= between[i, j]
        kept[i, j] = kept[j, i] = 0.0
    return kept
