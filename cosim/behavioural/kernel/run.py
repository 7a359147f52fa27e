"""Boards integrated by a compiled program."""

from __future__ import annotations

import ctypes
from math import ceil

import numpy as np

from cosim.behavioural.arrays import changed
from cosim.behavioural.board import Board
from cosim.behavioural.kernel.build import built, compiler
from cosim.behavioural.kernel.program import Program, write_program
from cosim.behavioural.kernel.traced import Tape, Traced
from cosim.behavioural.signal import Signal

WIDTH = 16  # boards side by side: their figures stay in a core's own cache
WIDEST = 1024  # lines of all boards side by side
STACK = 500_000  # numbers that a program may keep on the stack, 4 MB


def compiled_program(board: Board, count: int) -> Program | None:
    """The program for a number of boards, or for runs of one; None: it cannot be compiled here.

    Args:
        board: of numpy arrays.
    """
    if compiler() is None or board.integrator.vos.dtype != np.float64:
        return None
    widest = max(layer.vos.shape[-1] for layer in board.layers)
    program = program_of(board, max(1, min(WIDTH, count, WIDEST // widest)))
    return program if program.stack <= STACK else None


def program_of(board: Board, width: int) -> Program:
    """Record a board's slope and write it."""
    tape = Tape()
    n_states = board.integrator.vos.shape[-1]
    n_external = len(board.columns) - n_states
    spread = tuple(tape.add("number", name, n_lines=1) for name in ("low", "high"))
    s = tape.add("state", n_lines=n_states)
    external = Signal(*(tape.add("generators", name, n_lines=n_external) for name in ("u", "du")))
    recorded = changed(board, lambda x: Traced.of(tape, x))
    return write_program(tape, recorded(s, external, spread).slope, width, n_external)


def run_program(program: Program, s0: np.ndarray, external: Signal, spreads: np.ndarray,
                   steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integrate every board.

    Args:
        s0: (boards, states) [V].
        external: of the generators, (steps * 4, external inputs) [V], [V/s], at the stages of every step.
        spreads: (steps, 2) [s]; steps: (steps,) [s].
    Returns:
        s [V] at the ends of all steps, and its slopes there [V/s]: (steps + 1, boards, states) each, as
        :func:`cosim.behavioural.runge_kutta.runge_kutta` gives them.
    Raises:
        CosimError: see :func:`cosim.behavioural.kernel.build.built`.
    """
    library, width, n = built(program.text), program.width, program.n_states
    shape = len(steps) + 1, n, ceil(len(s0) / width) * width
    values, slopes = np.empty(shape), np.empty(shape)
    low, high = np.ascontiguousarray(spreads.T)
    h, u, du = (np.ascontiguousarray(x, dtype=float) for x in (steps, *external))
    for first in range(0, len(s0), width):
        chunk = slice(first, min(first + width, len(s0)))
        some, their = np.empty((len(steps) + 1, n, width)), np.empty((len(steps) + 1, n, width))
        some[0, :, : chunk.stop - first] = s0[chunk].T
        some[0, :, chunk.stop - first :] = s0[chunk.stop - 1][:, None]
        figures = program.figures(chunk)  # by name: a pointer does not keep it
        library.solve(ctypes.c_long(len(steps)),
                      *map(_pointer, (h, u, du, low, high, figures, program.numbers, some, their)))
        values[:, :, first : first + width], slopes[:, :, first : first + width] = some, their
    return tuple(x[:, :, : len(s0)].transpose(0, 2, 1) for x in (values, slopes))


def _pointer(x: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.ctypes.data)
