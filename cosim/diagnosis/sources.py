"""Where a board's error comes from: its behavioural model along torch's solution, one imperfection after the other.

The board's own equation gives, at torch's states, a derivative that is not torch's. The difference is split by taking the
board first at rest, then with its lags, its crossovers and its clamps; the network's Jacobian carries each part to the states.
That is exact as long as the errors are small, which is why it is looked at up to the valid horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import inf

import numpy as np
import torch

from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.board import Board, make_board, solve_arrays
from cosim.behavioural.drive import Drive
from cosim.behavioural.signal import Signal
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.compiler.scaling import Scales
from cosim.diagnosis.course import Course
from cosim.diagnosis.idealised import (
    endless_gain,
    with_fast_integrators,
    without_crossover,
    without_curvature,
    without_diode_leakage,
    without_hanging_lines,
    without_leaks,
    without_limits,
)
from cosim.diagnosis.propagation import Propagation
from cosim.errors import CosimError

SOURCES = ("static", "lag", "crossover", "clipping", "start")
STATIC_PARTS = ("hanging lines", "diode leakage", "curved cells", "integrator leakage", "amplifier gain", "conductances")
_WITHOUT = (without_hanging_lines, without_diode_leakage, without_curvature, without_leaks)
MOST_NUMBERS = 10_000_000  # that a layer may take at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Residual:
    """What one imperfection adds; (points, n_states) each, model units."""

    slope: np.ndarray  # to the derivative, per model s
    line: np.ndarray  # to the state lines, directly
    start: np.ndarray  # (n_states,), to the initial state


@dataclass(frozen=True, kw_only=True, eq=False)
class BoardView:
    """A board and torch's solution along it."""

    course: Course
    board: Board
    scales: Scales
    endless: Board | None = None  # the same with amplifiers of endless gain, which the static parts need

    def residual(self, board: Board, *, moving: bool) -> Residual:
        """Everything that a board adds to torch's derivative, at torch's states.

        Args:
            board: the view's own, or one without some imperfection.
            moving: False: with every signal held, without lags.
        """
        scales, course = self.scales, self.course
        right = course.network.derivative(course.inputs, course.reference)
        slopes, lines = [], []
        size = max(1, MOST_NUMBERS // max(2 * layer.inverse[0].numel() for layer in board.layers))
        half_step = 0.5 * course.step * scales.time
        with torch.no_grad():
            for first in range(0, len(course.times), size):
                part = slice(first, first + size)
                external = Signal(self._external.v[part], self._external.rate[part])
                rate = torch.as_tensor(right[part] * scales.state / scales.time)
                if not moving:
                    external, rate = Signal(external.v, torch.zeros_like(external.rate)), torch.zeros_like(rate)
                s = torch.as_tensor(course.reference[part] * scales.state)
                shot = board(s, external, (half_step, inf), moving=moving)
                slopes.append(shot.slope.numpy() * scales.time / scales.state)
                lines.append((board.state_lines(s, rate) - s).numpy() / scales.state)
            initial = torch.as_tensor(course.reference[:1] * scales.state)
            start = (board.integrator.started(initial) - initial).numpy()[0] / scales.state
        return Residual(slope=np.concatenate(slopes) - right, line=np.concatenate(lines), start=start)

    @cached_property
    def _external(self) -> Signal:
        """The generators at every point, (points, n_external) [V], [V/s]."""
        drive = Drive(case=self.course.case, scales=self.scales)
        at = [drive(float(t) * self.scales.time) for t in self.course.times]
        return Signal(torch.cat([one.v for one in at]), torch.cat([one.rate for one in at]))

    def parts(self) -> dict[str, Residual]:
        """The residual by SOURCES; together they are the board's whole."""
        free = without_limits(self.board)
        sharp = without_crossover(free)
        still = self.residual(with_fast_integrators(sharp), moving=False)
        lagging, crossing = self.residual(sharp, moving=True), self.residual(free, moving=True)
        whole = self.residual(self.board, moving=True)
        none = np.zeros_like(still.start)
        start = Residual(slope=np.zeros_like(still.slope), line=np.zeros_like(still.line), start=still.start)
        return {"static": Residual(slope=still.slope, line=still.line, start=none),
                "lag": _less(lagging, still), "crossover": _less(crossing, lagging), "clipping": _less(whole, crossing),
                "start": start}

    def static_parts(self) -> dict[str, Residual]:
        """The static residual by STATIC_PARTS: what is gone when one imperfection after the other is taken away; the rest."""
        if self.endless is None:
            raise CosimError("this view knows no board with amplifiers of endless gain; make it with view()")

        def still(board: Board, taken: int) -> Residual:
            board = with_fast_integrators(without_crossover(without_limits(board)))
            for without in _WITHOUT[:taken]:
                board = without(board)
            return self.residual(board, moving=False)

        steps = [*(still(self.board, taken) for taken in range(len(_WITHOUT) + 1)), still(self.endless, len(_WITHOUT))]
        found = {name: _less(before, after) for name, (before, after) in zip(STATIC_PARTS, pairwise(steps), strict=False)}
        rest = steps[-1]
        return found | {STATIC_PARTS[-1]: Residual(slope=rest.slope, line=rest.line, start=np.zeros_like(rest.start))}


def view(course: Course, blueprint: Blueprint) -> BoardView:
    """A blueprint's nominal board along a course."""
    arrays, op = solve_arrays(blueprint), endless_gain(OpAmp.from_part())
    return BoardView(course=course, board=make_board(blueprint, arrays=arrays), scales=blueprint.scales,
                     endless=make_board(blueprint, arrays=arrays, op=op))


def errors(course: Course, residuals: Mapping[str, Residual]) -> dict[str, np.ndarray]:
    """Errors of the states (points, n_states), parts of full scale, that each residual leads to by itself."""
    propagation = Propagation(course.scaled_jacobian, course.step)
    slopes = np.stack([one.slope for one in residuals.values()], axis=2) / course.full_scale[:, None]
    starts = np.stack([one.start for one in residuals.values()], axis=1) / course.full_scale[:, None]
    carried = propagation.carried(slopes, starts)
    return {name: carried[:, :, k] + one.line / course.full_scale for k, (name, one) in enumerate(residuals.items())}


def made(course: Course, residuals: Mapping[str, Residual]) -> np.ndarray:
    """(points,) how much error the board has made up to each time, the lengths of all its mistakes added; parts of full scale.

    An error that is longer than this was made longer by the system itself.
    """
    slope = sum(one.slope for one in residuals.values()) / course.full_scale
    start = sum(one.start for one in residuals.values()) / course.full_scale
    line = sum(one.line for one in residuals.values()) / course.full_scale
    speed = np.linalg.norm(slope, axis=1)
    added = np.concatenate([[0.0], np.cumsum(0.5 * course.step * (speed[1:] + speed[:-1]))])
    return added + np.linalg.norm(start) + np.linalg.norm(line, axis=1)


def _less(one: Residual, other: Residual) -> Residual:
    return Residual(slope=one.slope - other.slope, line=one.line - other.line, start=one.start - other.start)
