"""Compile-time compensation of select transistors and wires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance
from circuits.array.window import Window
from circuits.array.wires import Wires
from cosim.errors import MappingError

ITERATIONS = 400  # a board of 20 ohm wires or 1 um transistors takes some; the nominal one takes six
TOLERANCE = 1e-11  # of the window's span; far under the seven digits that a deck states
LADDER = 0.3  # above it the cells' currents would take long to settle: twice a line's resistance times the largest conductance
AT_ONCE = 16  # arrays; more no longer fit the processor's cache
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
    """Find programmed conductances whose effective differential conductance is ``target``; see :func:`compensate_tiles`.

    Args:
        target: (out, in) [S], effective g_p - g_n from bit-line pair to source line.
    """
    (found,) = compensate_tiles([target], window=window, wires=wires, r_on=r_on, r_port=r_port)
    return found


def compensate_tiles(targets: Sequence[np.ndarray], *, window: Window, wires: Wires, r_on: float,
                     r_port: float = 0.0) -> list[Compensated]:
    """The same for many arrays at once.

    Fixed-point iteration on the signed difference of each pair against what the array conducts; the array is nearly diagonal
    in it, so that a step contracts by about r_on * g_max. Where the wires take little, the currents of the cells are iterated
    together with the conductances, for all arrays in a few products of matrices; where they take much, every step solves the
    mesh.

    Args:
        targets: (out, in) [S] each, effective g_p - g_n from bit-line pair to source line.
        window: what can be programmed.
        wires: segments.
        r_on: select transistor [ohm].
        r_port: board wire in series with every pin [ohm].
    Raises:
        MappingError: an iteration does not settle.
    """
    ladder = _ladder(wires, r_port)
    if 2 * np.linalg.norm(ladder, 2) * window.g_max > LADDER:
        return [_settled(_Meshes(target=target, wires=wires, r_on=r_on, r_port=r_port), target[None], window)[0]
                for target in targets]
    found = []
    for first in range(0, len(targets), AT_ONCE):
        part = targets[first : first + AT_ONCE]
        n_out, n_in = (max(target.shape[axis] for target in part) for axis in (0, 1))
        padded = np.full((len(part), n_out, n_in), np.nan)
        for one, target in zip(padded, part, strict=True):
            one[: target.shape[0], : target.shape[1]] = target
        outputs = np.array([target.shape[0] for target in part])
        currents = _Currents(on=np.arange(SIZE) < outputs[:, None], n_in=n_in, ladder=ladder, r_on=r_on, n_out=n_out)
        found += [Compensated(g=one.g, residual=one.residual[: target.shape[0], : target.shape[1]])
                  for one, target in zip(_settled(currents, padded, window), part, strict=True)]
    return found


def _settled(conducts: Callable[[np.ndarray], np.ndarray], target: np.ndarray, window: Window) -> list[Compensated]:
    """Iterate arrays until nothing moves.

    Args:
        conducts: of the arrays' conductances (arrays, SIZE, SIZE) the effective differences (arrays, out, in) [S].
        target: (arrays, out, in) [S]; NaN where an array has no such pair, whose cells rest.
    """
    n_out, n_in = target.shape[1:]
    idle = np.isnan(target)
    difference = np.clip(np.where(idle, 0.0, target), -window.span, window.span)
    g = np.full((len(target), SIZE, SIZE), window.g_min)
    residual = np.full(target.shape, np.inf)
    for _ in range(ITERATIONS):
        g[:, :n_out, 0 : 2 * n_in : 2] = window.g_min + np.maximum(difference, 0.0)
        g[:, :n_out, 1 : 2 * n_in : 2] = window.g_min + np.maximum(-difference, 0.0)
        before, left = difference, residual
        residual = np.where(idle, 0.0, target - conducts(g))
        difference = np.clip(difference + residual, -window.span, window.span)
        # A pair that the window holds does not move, while the currents of its cells still may.
        step = np.maximum(np.abs(difference - before), np.abs(residual - left))
        if step.max(initial=0.0) < TOLERANCE * window.span:
            break
    if step.max(initial=0.0) < HELD * window.span:
        return [Compensated(g=one, residual=left) for one, left in zip(g, residual, strict=True)]
    _, output, column = np.unravel_index(np.argmax(step), step.shape)
    raise MappingError(
        f"compensation did not settle in {ITERATIONS} iterations: output {output}, input {column} of the array still moves by "
        f"{step.max():.2e} S a step; the wires or the transistor are too resistive for this window"
    )


def _ladder(wires: Wires, r_port: float) -> np.ndarray:
    """(SIZE, SIZE) [ohm]: how far a current that leaves a line at one cell moves the line at another.

    They share the pin's wire and the segments up to the nearer of the two cells.
    """
    place = np.arange(1, SIZE + 1)
    return wires.resistance * np.minimum(place[:, None], place) + r_port


@dataclass(kw_only=True, eq=False)
class _Meshes:
    """One array, whose mesh is solved at every step."""

    target: np.ndarray
    wires: Wires
    r_on: float
    r_port: float

    def __call__(self, g: np.ndarray) -> np.ndarray:
        n_out, n_in = self.target.shape
        # Rows whose word line is off conduct nothing, so they need not be solved for.
        y = port_conductance(g[0, :n_out], selected=np.full(n_out, True), wires=self.wires, r_on=self.r_on, r_port=self.r_port)
        return (y[:, 0 : 2 * n_in : 2] - y[:, 1 : 2 * n_in : 2])[None]


@dataclass(kw_only=True, eq=False)
class _Currents:
    """Arrays whose cells' currents are improved once a step: each pair of bit lines is driven with +1 and -1 V."""

    on: np.ndarray  # (arrays, SIZE) bool, rows whose word line is high
    n_out: int
    n_in: int
    ladder: np.ndarray  # (SIZE, SIZE) [ohm]
    r_on: float
    current: np.ndarray | float = 0.0  # (arrays, n_in, n_out, SIZE) [A], of every cell with each pair driven

    def __call__(self, g: np.ndarray) -> np.ndarray:
        cell = np.where(self.on[:, : self.n_out, None], 1.0 / (1.0 / g[:, : self.n_out] + self.r_on), 0.0)
        drive = np.zeros((self.n_in, 1, SIZE))
        pairs = np.arange(self.n_in)
        drive[pairs, 0, 2 * pairs], drive[pairs, 0, 2 * pairs + 1] = 1.0, -1.0
        volts = np.broadcast_to(drive, (len(g), self.n_in, self.n_out, SIZE))
        if isinstance(self.current, np.ndarray):
            volts = volts - self.ladder[: self.n_out, : self.n_out] @ self.current - self.current @ self.ladder
        self.current = cell[:, None] * volts
        return self.current.sum(axis=3).transpose(0, 2, 1)
