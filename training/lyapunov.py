"""How fast a system forgets its start (the Lyapunov exponent), and how long a prediction stays valid in that measure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.errors import PhysicsError, SolverError
from training.integrate import integrate

Vector = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Exponent:
    """The largest Lyapunov exponent."""

    value: float  # 1 / time unit
    standard_error: float  # 1 / time unit, from the scatter of ten equal parts of the run


def largest_exponent(
    rhs: Callable[[Vector], Vector],
    tangent: Callable[[Vector, Vector], Vector],
    start: Sequence[float],
    *,
    duration: float = 300.0,
    transient: float = 20.0,
    interval: float = 0.5,
    rtol: float = 1e-9,
) -> Exponent:
    """Largest exponent of dx/dt = rhs(x): the mean growth rate of a tangent vector that is carried along and rescaled.

    The method is that of Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 9 (1980). The variational equation
    dv/dt = J(x) v is integrated with the state, v is set back to length 1 after every `interval`, and the logarithms of its
    growth are averaged. For a regular system the estimate falls as log(duration) / duration, so that about 0.02 after 300
    time units means zero.

    Args:
        rhs: x (d,) -> dx/dt (d,).
        tangent: (x, v) -> J(x) v, (d,).
        start: (d,) [model units].
        duration: over which the growth is averaged [time units], after `transient`.
        transient: left out at the start [time units]; meanwhile v turns into the growing direction.
        interval: between two rescalings [time units]; v may grow up to e^(exponent * interval) meanwhile.
        rtol: relative tolerance of the integration.
    Raises:
        PhysicsError: a time is not positive, or the duration is shorter than ten intervals.
        SolverError: the run left the finite numbers.
    """
    if not (interval > 0.0 and transient >= 0.0 and duration >= 10.0 * interval):
        raise PhysicsError(
            f"duration = {duration}, transient = {transient}, interval = {interval}; take ten positive intervals or more"
        )
    x = np.asarray(start, dtype=np.float64)
    d = len(x)
    v = np.random.default_rng(0).standard_normal(d)  # almost any direction has a share in the growing one
    span = np.array([0.0, interval])
    logs = []
    for _ in range(round((transient + duration) / interval)):
        joint = integrate(
            lambda _, z: np.concatenate([rhs(z[:d]), tangent(z[:d], z[d:])]),
            np.concatenate([x, v / np.linalg.norm(v)]),
            span,
            rtol=rtol,
            atol=1e-3 * rtol,
        )[-1]
        x, v = joint[:d], joint[d:]
        logs.append(np.log(np.linalg.norm(v)))
    rates = np.array(logs[round(transient / interval) :]) / interval
    parts = np.array([part.mean() for part in np.array_split(rates, 10)])
    return Exponent(value=float(rates.mean()), standard_error=float(parts.std(ddof=1) / 10**0.5))


def ensemble_exponent(
    rhs: Callable[[Vector], Vector],
    jacobian: Callable[[Vector], Vector],
    starts: Vector,
    *,
    duration: float,
    transient: float,
    step: float,
) -> Exponent:
    """The same exponent from many runs at once, each from a start of its own: minutes become a second for a network.

    Every run takes steps of one size (classical Runge-Kutta); its tangent vector moves by the trapezoidal rule between the
    Jacobians at the step's ends, and is set back to length 1 after each. ReLUs make the Jacobian jump, on which a solver with
    tolerances spends nearly all of its time, and which the average hardly sees.

    Args:
        rhs: states (m, d) -> derivatives (m, d).
        jacobian: states (m, d) -> (m, d, d).
        starts: (m, d), two or more, best spread over the attractor [model units].
        duration: of each run, over which the growth is averaged [time units], after ``transient``.
        transient: left out at the start of each [time units]; meanwhile the vectors turn into the growing direction.
        step: [time units], a twentieth of the shortest time constant or less.
    Returns:
        The mean over the runs, and its standard error from the scatter between them.
    Raises:
        PhysicsError: fewer than two starts, or a time that is not positive.
        SolverError: a run left the finite numbers.
    """
    x = np.array(starts, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise PhysicsError(f"starts of shape {x.shape}; give two or more, (m, d)")
    if not (0.0 < step <= duration and transient >= 0.0):
        raise PhysicsError(f"duration = {duration}, transient = {transient}, step = {step}; take positive times")
    v = np.random.default_rng(0).standard_normal(x.shape)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    one, growth = np.eye(x.shape[1]), np.zeros(len(x))
    left_out, counted = round(transient / step), max(1, round(duration / step))
    before = jacobian(x)
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        for number in range(left_out + counted):
            a = rhs(x)
            b = rhs(x + 0.5 * step * a)
            c = rhs(x + 0.5 * step * b)
            x = x + step / 6 * (a + 2 * b + 2 * c + rhs(x + step * c))
            if not np.isfinite(x).all():
                raise SolverError(f"a run left the finite numbers after {number * step:.6g} of {transient + duration:.6g} time "
                                  "units; start nearer to the attractor, or take a smaller step")
            after = jacobian(x)
            known = v + 0.5 * step * np.einsum("mij,mj->mi", before, v)
            v = np.linalg.solve(one - 0.5 * step * after, known[:, :, None])[:, :, 0]
            size = np.linalg.norm(v, axis=1)
            if number >= left_out:
                growth += np.log(np.maximum(size, np.finfo(float).tiny))
            v /= np.maximum(size, np.finfo(float).tiny)[:, None]
            before = after
    rates = growth / (counted * step)
    return Exponent(value=float(rates.mean()), standard_error=float(rates.std(ddof=1) / len(rates) ** 0.5))


@dataclass(frozen=True, kw_only=True)
class ValidPrediction:
    """How long a prediction stayed near the truth."""

    time: float  # time units
    lyapunov_times: float  # time * exponent
    censored: bool  # the run ended before the error passed the threshold, so the true time is longer


def valid_prediction_time(
    time: np.ndarray, predicted: np.ndarray, truth: np.ndarray, *, spread: float, exponent: float, threshold: float = 0.4
) -> ValidPrediction:
    """First time at which |predicted - truth| exceeds `threshold` times the attractor's spread, counted from time[0].

    Pathak, Hunt, Girvan, Lu, Ott, Phys. Rev. Lett. 120, 024102 (2018) use this with 0.4 and with the spread about zero. Here
    the spread is about the mean, `attractor_spread`, so that a constant that is added to the state changes nothing.

    Args:
        time: (m,) [time units], ascending.
        predicted, truth: (m, d) [model units].
        spread: root mean square distance of the state from its mean [model units].
        exponent: largest Lyapunov exponent, above 0 [1 / time unit].
        threshold: as a part of the spread.
    Raises:
        PhysicsError: shapes do not match, or spread or exponent is not above 0 (a regular system has no Lyapunov time).
    """
    if predicted.shape != truth.shape or len(time) != len(truth):
        raise PhysicsError(f"time {np.shape(time)}, predicted {predicted.shape} and truth {truth.shape} do not match")
    if not (spread > 0.0 and exponent > 0.0):
        raise PhysicsError(f"spread = {spread}, exponent = {exponent}; both must be above 0")
    # Written so that a NaN counts as lost.
    lost = ~(np.linalg.norm(predicted - truth, axis=1) <= threshold * spread)
    k = int(np.argmax(lost)) if lost.any() else len(time) - 1
    elapsed = float(time[k] - time[0])
    return ValidPrediction(time=elapsed, lyapunov_times=elapsed * exponent, censored=not lost.any())


def attractor_spread(state: np.ndarray) -> float:
    """Root mean square distance [model units] of states (m, d) from their mean."""
    return float(np.sqrt(np.square(state - state.mean(axis=0)).sum(axis=1).mean()))
