"""The loop gain: its margins, and the settling that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import sici

SETTLED = 1e-3  # part of the step within which a response counts as settled
SPAN = (1e-2, 1e2)  # frequencies that shape the step response, as multiples of the crossover
LAST = 1e3  # how long the step response is looked at: crossover periods divided by 2 pi
POINTS, TIMES = 250, 240  # frequencies and times of the transform; they resolve the settling time to 4 %


def loop_gain(v_y: np.ndarray, v_x: np.ndarray, i_x: np.ndarray) -> np.ndarray:
    """Loop gain T of :func:`circuits.loops.probe.probed`, T = (T_v T_i - 1) / (T_v + T_i + 2), positive at dc.

    Args:
        v_y, v_x: (frequencies,) voltages on the network's and on the op-amp's side of the break with ``ac_v=1`` [V].
        i_x: (frequencies,) current into the op-amp with ``ac_i=1`` [A].
    """
    t_v, t_i = -v_y / v_x, (1.0 - i_x) / i_x
    return (t_v * t_i - 1.0) / (t_v + t_i + 2.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class LoopGain:
    """The loop gain T against frequency. Feedback divides an error by 1 + T."""

    frequency: np.ndarray  # (n,) Hz, rising
    value: np.ndarray  # (n,) complex

    @cached_property
    def phase(self) -> np.ndarray:
        """Phase (n,) [deg], continuous from dc on."""
        return np.degrees(np.unwrap(np.angle(self.value)))

    @cached_property
    def crossovers(self) -> np.ndarray:
        """Frequencies [Hz] at which the magnitude is 1, rising; empty for a loop without gain."""
        return _crossings(np.log(self.frequency), np.log(np.abs(self.value)))

    @property
    def crossover(self) -> float:
        """The last of the crossovers [Hz], NaN where there is none."""
        crossovers = self.crossovers
        return float(crossovers[-1]) if crossovers.size else np.nan

    @cached_property
    def margin(self) -> float:
        """Phase margin [deg], the smallest over all crossovers; infinite where there is none."""
        at = np.interp(np.log(self.crossovers), np.log(self.frequency), self.phase)
        return float(180.0 + at.min()) if at.size else np.inf

    @property
    def gain_margin(self) -> float:
        """1 / |T| (dimensionless) where the phase passes -180 deg; infinite where it does not."""
        at = _crossings(np.log(self.frequency), self.phase + 180.0)
        magnitude = np.interp(np.log(at), np.log(self.frequency), np.log(np.abs(self.value)))
        return float(np.exp(-magnitude.max())) if at.size else np.inf

    def step_response(self, times: np.ndarray) -> np.ndarray:
        """Small-signal response of T / (1 + T) to a unit step, divided by its own value at low frequency.

        It is the sine transform of the real part H, 2 / pi * integral of H(w) sin(w t) / w dw, which is exact when H is
        straight between its points. Below SPAN times the crossover H is taken as constant, above it as zero.

        Args:
            times: (m,) s, positive.
        """
        f = np.geomspace(max(self.frequency[0], SPAN[0] * self.crossover), min(self.frequency[-1], SPAN[1] * self.crossover),
                         POINTS)
        known = np.log(self.frequency)
        magnitude, phase = CubicSpline(known, np.log(np.abs(self.value))), CubicSpline(known, np.unwrap(np.angle(self.value)))
        t = np.exp(magnitude(np.log(f)) + 1j * phase(np.log(f)))
        h = np.append((t / (1.0 + t)).real, 0.0)
        w = 2.0 * np.pi * np.append(f, f[-1] * f[-1] / f[-2])
        slope = np.diff(h) / np.diff(w)
        wt = np.outer(times, w)
        total = h[0] * sici(wt[:, 0])[0]
        total += (np.diff(sici(wt)[0], axis=1) * (h[:-1] - slope * w[:-1])).sum(axis=1)
        total -= (np.diff(np.cos(wt), axis=1) * slope).sum(axis=1) / times
        return 2.0 / np.pi * total / h[0]

    @cached_property
    def settling(self) -> float:
        """Time [s] from which the step response stays within SETTLED of its end; infinite where it does not settle.

        This is the small-signal time. Slewing, and a neuron's way from one diode to the other, come on top of it.
        """
        if not self.margin > 0 or not np.isfinite(self.margin):
            return np.inf
        times = np.geomspace(0.1, LAST, TIMES) / (2.0 * np.pi * self.crossover)
        outside = np.abs(self.step_response(times) - 1.0) > SETTLED
        if not outside.any():
            return float(times[0])
        last = int(np.flatnonzero(outside)[-1])
        return float(times[last + 1]) if last + 1 < len(times) else np.inf


def _crossings(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Exponentials of the places x at which y, straight between its points, changes its sign."""
    k = np.flatnonzero(np.diff(y > 0))
    return np.exp(x[k] - y[k] / (y[k + 1] - y[k]) * (x[k + 1] - x[k]))
