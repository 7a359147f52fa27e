"""A leaky integrator with coloured, signal-dependent noise, as an equation: the device on which the fits are tried.

    tau dx/dt = -x + s + (0.3 + |x|) sigma nu,    dnu = -nu / tau_n dt + sqrt(2 / tau_n) dW

nu has unit variance whatever the step, and is at rest before a sequence starts. The device starts where a pulse of the lowest
input has left it. With tau = 1, steps of 0.25 and inputs in +-2 the noise is about a tenth of the signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.twins.recording import Recording


@dataclass(frozen=True, kw_only=True)
class LeakyDevice:
    """Units of time are those of tau; inputs and x have the same unit."""

    tau: float = 1.0
    step: float = 0.25  # of time, how long an input is held
    sigma: float = 0.13  # standard deviation of the noise at |x| = 0.7
    tau_n: float = 0.5  # correlation time of the noise
    low: float = -2.0  # least input
    high: float = 2.0
    fine: int = 8  # solver steps per step

    def run(self, inputs: np.ndarray, *, repeats: int = 1, seed: int = 0, initial: np.ndarray | None = None) -> np.ndarray:
        """Observables (sequences, repeats, steps + 1, 1) under inputs (sequences, steps, 1); initial (sequences, repeats)."""
        draw = np.random.default_rng(seed)
        h = self.step / self.fine
        keep, fade = np.exp(-h / self.tau), np.exp(-h / self.tau_n)
        shape = (len(inputs), repeats)
        nu = draw.standard_normal(shape)
        x = self.rest(shape, draw) if initial is None else np.array(initial, dtype=float)
        rows = [x]
        for s in inputs[:, :, 0].T:
            for _ in range(self.fine):
                x = keep * x + (1.0 - keep) * (s[:, None] + self.sigma * (0.3 + np.abs(x)) * nu)
                nu = fade * nu + np.sqrt(1.0 - fade**2) * draw.standard_normal(shape)
            rows.append(x)
        return np.stack(rows, axis=2)[..., None]

    def rest(self, shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
        """Where the saturating pulse leaves the device: at the lowest input, with the spread of its noise there."""
        spread = self.sigma * (0.3 + abs(self.low)) * np.sqrt(self.tau_n / (self.tau + self.tau_n))
        return self.low + spread * draw.standard_normal(shape)

    def record(self, sequences: int, length: int, repeats: int, seed: int) -> Recording:
        """Drive it with inputs uniform over its range, half of the sequences anew at each step, half held for 1 to 8 steps."""
        draw = np.random.default_rng(seed)
        inputs = draw.uniform(self.low, self.high, (sequences, length))
        for row in inputs[::2]:
            at = 0
            while at < length:
                held = int(draw.integers(1, 9))
                row[at : at + held] = row[at]
                at += held
        inputs = inputs[..., None]
        return Recording(inputs=inputs, states=self.run(inputs, repeats=repeats, seed=seed + 1), step_time=self.step,
                         device="leaky", origin="equation", seed=seed, input_range=(self.low, self.high))
