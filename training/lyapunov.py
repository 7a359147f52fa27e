"""How fast a system forgets its start (the Lyapunov exponent), and how long a prediction stays valid in that measure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.errors import PhysicsError
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
