"""Integration with tight tolerances that stops at the corners of a stimulus."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.integrate import solve_ivp

from training.errors import SolverError


def integrate(
    rhs: Callable[[float, np.ndarray], np.ndarray],
    y0: Sequence[float],
    t: np.ndarray,
    *,
    breakpoints: Sequence[float] = (),
    rtol: float = 1e-11,
    atol: float = 1e-13,
) -> np.ndarray:
    """Solve dy/dt = rhs(t, y) and restart at every breakpoint, so that no step straddles a corner of the stimulus.

    The method is DOP853 (Hairer, Norsett, Wanner 1993) with its seventh-order dense output. No step is longer than the finest
    spacing of the samples, because the error estimate of a long step can miss a ReLU that switches on and off between two
    stages.

    Args:
        rhs: (t [s], y (n,)) -> dy/dt (n,).
        y0: (n,), the state at t[0].
        t: (m,) sample times, ascending [s].
        breakpoints: times [s] at which the right-hand side has a corner.
        rtol: relative tolerance.
        atol: absolute tolerance, in the unit of y.
    Returns:
        (m, n) states at the sample times.
    Raises:
        SolverError: the times do not ascend, a derivative is not finite, or the solver stopped early; names the last time
            that was reached.
    """
    t = np.asarray(t, dtype=np.float64)
    if t.ndim != 1 or len(t) < 2 or not np.all(np.diff(t) > 0):
        raise SolverError("sample times must be one ascending sequence of at least two; got " + np.array2string(t))
    inner = [float(b) for b in breakpoints if t[0] < b < t[-1]]
    ends = [*inner, float(t[-1])]
    y = np.array(y0, dtype=np.float64).reshape(-1)
    states = np.empty((len(t), len(y)))
    states[0] = y
    start, max_step = float(t[0]), float(np.diff(t).min())

    def checked(at: float, y: np.ndarray) -> np.ndarray:  # scipy would shorten its step for ever on a NaN
        slope = rhs(at, y)
        if not np.isfinite(slope).all():
            raise SolverError(f"the derivative is {slope} at t = {at:.6g} s of {t[-1]:.6g} s, state {y}; check that the "
                              "model's weights and the stimulus are finite and keep the state bounded")
        return slope

    for end in ends:
        here = np.flatnonzero((t > start) & (t <= end))
        at = t[here] if len(here) and t[here[-1]] == end else np.append(t[here], end)
        with np.errstate(over="ignore", invalid="ignore"):  # ``checked`` and the lines below report what is not finite
            run = solve_ivp(checked, (start, end), y, method="DOP853", t_eval=at, rtol=rtol, atol=atol, max_step=max_step)
        if not run.success or not np.all(np.isfinite(run.y)):
            reached = run.t[-1] if len(run.t) else start
            raise SolverError(
                f"integration stopped at t = {reached:.6g} s of {t[-1]:.6g} s: {run.message}; "
                "loosen rtol or check that the model's weights keep the state bounded"
            )
        states[here] = run.y.T[: len(here)]
        y, start = run.y[:, -1], end
    return states
