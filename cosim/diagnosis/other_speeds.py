"""The same board at another speed: what its error would be, by the same equations, without compiling or simulating anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from circuits.board.board import BoardSpec
from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.board import make_board, solve_arrays
from cosim.compiler.compile import CAPACITORS, SLOWEST
from cosim.compiler.resistors import floor_digits
from cosim.diagnosis.course import Course
from cosim.diagnosis.horizon import Horizon, horizon
from cosim.diagnosis.sources import BoardView, errors

FACTORS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)  # of the time scale that are tried
REACHED = (0.01, 0.014, 0.02, 0.028, 0.04)  # of full scale, about the limit of a valid horizon
WORTH_LAG = 1e-9  # s; a lead below it is none
# Lag over the network's shortest time constant up to which a speed is looked at: the equations are of first order in the lag
# and leave out about its square.
MOST_PHASE = 0.02


@dataclass(frozen=True, kw_only=True)
class Speed:
    """A time scale and a lead, and what the board's equations say of them."""

    time_scale: float  # circuit seconds per model second
    lead: float  # s, circuit time, see cosim.compiler.options.Options
    largest: float  # largest error of any state up to the window's end, part of full scale
    horizon: Horizon  # of the state that parts first; to first order
    reach: float  # model s, mean of the times to REACHED; unlike the horizon no small change makes it jump


def other_speeds(course: Course, blueprint: Blueprint, lead: float, lag: float, window: int) -> list[Speed]:
    """The board as it is first, then other time scales, with the lead that it has and with one that takes its lag out.

    Time scales at which the lag would be no small part of the network's shortest time constant are left out.

    Args:
        lead: s, that the board was compiled with.
        lag: s, circuit time, that it has nevertheless.
        window: points of the course up to which the largest error is looked for.
    """
    wanted = [lead]
    if lead + lag > WORTH_LAG:
        wanted.append(float(f"{lead + lag:.3g}"))
    rate = float(np.abs(np.linalg.eigvals(course.jacobian)).max(initial=0.0))
    phase = rate * max(lead + lag, 0.0) / blueprint.scales.time
    speeds = [(1.0, lead)] + [(factor, one) for factor in FACTORS for one in wanted
                              if (factor, one) != (1.0, lead) and phase / factor <= MOST_PHASE]
    return list(_speeds(course, blueprint, speeds, window))


def _speeds(course: Course, blueprint: Blueprint, speeds: list[tuple[float, float]], window: int) -> Iterator[Speed]:
    arrays = solve_arrays(blueprint)
    for factor, lead in speeds:
        spec = _retimed(blueprint.board, factor, lead)
        if spec is None:
            continue
        time_scale = float(f"{factor * blueprint.scales.time:.12g}")
        other = replace(blueprint, board=spec, scales=replace(blueprint.scales, time=time_scale))
        board = make_board(other, arrays=arrays)
        seen = BoardView(course=course, board=board, scales=other.scales)
        error = errors(course, {"all": seen.residual(board, moving=True)})["all"]
        worst = np.abs(error).max(axis=1)  # of any state
        yield Speed(time_scale=time_scale, lead=lead, horizon=horizon(course.times, worst),
                    reach=float(np.mean([horizon(course.times, worst, limit).time for limit in REACHED])),
                    largest=float(worst[:window].max()))


def _retimed(spec: BoardSpec, factor: float, lead: float) -> BoardSpec | None:
    """A board whose integrators are slower by a factor; None: the compiler would not build them."""
    time_constant = factor * spec.r_in * spec.c_int
    if time_constant > SLOWEST:
        return None
    c_int = next((c for c in CAPACITORS if time_constant / c >= 100e3), CAPACITORS[-1])
    r_in = time_constant / c_int
    return replace(spec, r_in=r_in, c_int=c_int, c_lead=floor_digits(lead / r_in) if lead else 0.0)
