"""A device that is an equation: an ordinary differential equation that coloured noise enters, integrated in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.dynamic.device import Device, DeviceError

Slope = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # (states, inputs, noise) -> d states / dt [1/s]


@dataclass(frozen=True, kw_only=True)
class EquationDevice(Device):
    """States (runs, n_states), inputs (runs, n_inputs), noise (runs, 1), straight between the points of its grid."""

    origin: ClassVar[str] = "equation"

    n_states: int
    slope: Slope
    observe: Callable[[np.ndarray], np.ndarray]  # states (..., n_states) -> observables (..., n_outputs)
    substeps: int = 8  # Runge-Kutta steps of fourth order per step, at least one per interval of the noise's grid
    rest_steps: int = 200  # steps under the first input, without noise, that bring the device to rest before a run

    def respond(self, inputs: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        inputs = self.checked(inputs, noise)
        runs, steps, _ = inputs.shape
        state = np.zeros((runs, self.n_states))
        for _ in range(self.rest_steps):
            state = self._step(state, inputs[:, 0], None, 0.0)
        rows = [self.observe(state)]
        for k in range(steps):
            state = self._step(state, inputs[:, k], noise, k * self.step_time)
            rows.append(self.observe(state))
        observed = np.stack(rows, axis=1)
        if not np.isfinite(observed).all():
            raise DeviceError(f"device {self.name} left the finite numbers; take more substeps than {self.substeps}, or "
                              "correct its equation")
        return observed

    def _step(self, state: np.ndarray, inputs: np.ndarray, noise: np.ndarray | None, start: float) -> np.ndarray:
        h = self.step_time / self.substeps

        def slope(x: np.ndarray, t: float) -> np.ndarray:
            return self.slope(x, inputs, np.zeros((len(x), 1)) if noise is None else self._at(noise, t))

        for n in range(self.substeps):
            t = start + n * h
            k1 = slope(state, t)
            k2 = slope(state + h / 2 * k1, t + h / 2)
            k3 = slope(state + h / 2 * k2, t + h / 2)
            k4 = slope(state + h * k3, t + h)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return state

    def _at(self, noise: np.ndarray, t: float) -> np.ndarray:
        """Draws of all runs at a time, (runs, 1)."""
        place = t / self.noise.grid
        below = min(int(place + 1e-9), noise.shape[1] - 2)
        part = place - below
        return ((1 - part) * noise[:, below] + part * noise[:, below + 1])[:, None]
