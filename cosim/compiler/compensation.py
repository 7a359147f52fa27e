"""Compile-time compensation of select transistors and wires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance
from circuits.array.window import Window
from circuits.array.wires import Wires
from cosim.compiler.mapping import interleave, weights_to_pairs
from cosim.errors import MappingError

ITERATIONS = 400  # a board of 20 ohm wires or 1 um transistors takes some; the nominal one takes six
TOLERANCE = 1e-9  # of the window's span; far under the six digits that a deck states
HELD = 1e-7  # of the window's span, what a deck can still hold: an iteration that creeps on below it has settled too


@dataclass(frozen=True, kw_only=True)
class Compensated:
    """Programmed conductances whose array, wires and transistors included, computes the target."""

    g: np.ndarray  # (SIZE, SIZE) [S]
    residual: np.ndarray  # (out, in) [S], wanted less reached; 0 where the window allowed it

    def unreached(self, limit: float = 1e-9) -> list[tuple[int, int, float]]:
        """Pairs whose residual [S] passes ``limit`` [S], as (output, input, residual [S]), worst first."""
        cells = [(int(r), int(c), float(self.residual[r, c])) for r, c in np.argwhere(np.abs(self.residual) > limit)]
        return sorted(cells, key=lambda cell: -abs(cell[2]))


def compensate(target: np.ndarray, *, window: Window, wires: Wires, r_on: float, r_port: float = 0.0) -> Compensated:
    """Find programmed conductances whose effective differential conductance is ``target``.

    Fixed-point iteration on the signed difference of each pair against the array's exact port conductances; the
    array is nearly diagonal in it, so a step contracts by about r_on * g_max.

    Args:
        target: (out, in) [S], effective g_p - g_n from bit-line pair to source line.
        window: what can be programmed.
        wires: segments.
        r_on: select transistor [ohm].
        r_port: board wire in series with every pin [ohm].
    Raises:
        MappingError: the iteration does not settle.
    """
    n_out, n_in = target.shape
    difference = np.clip(target, -window.span, window.span)
    for _ in range(ITERATIONS):
        g = interleave(*weights_to_pairs(difference, window, g_scale=1.0)[:2], SIZE, window.g_min)
        # Rows whose word line is off conduct nothing, so they need not be solved for.
        y = port_conductance(g[:n_out], selected=np.full(n_out, True), wires=wires, r_on=r_on, r_port=r_port)
        residual = target - (y[:, 0 : 2 * n_in : 2] - y[:, 1 : 2 * n_in : 2])
        before = difference
        difference = np.clip(difference + residual, -window.span, window.span)
        if np.abs(difference - before).max(initial=0.0) < TOLERANCE * window.span:
            return Compensated(g=g, residual=residual)
    step = np.abs(difference - before)
    if step.max() < HELD * window.span:
        return Compensated(g=g, residual=residual)
    output, column = np.unravel_index(np.argmax(step), step.shape)
    raise MappingError(
        f"compensation did not settle in {ITERATIONS} iterations: output {output}, input {column} of the array still moves by "
        f"{step.max():.2e} S a step; the wires or the transistor are too resistive for this window"
    )
