"""A leaky integrator with coloured, signal-dependent noise, as an equation: the device on which fits and networks are tried.

    dx/dt = (-x + s) / tau + 0.05 sqrt(1 + (x / 0.4)^2) nu,    dnu = -nu / tau_n dt + sqrt(2 / tau_n) dW

nu has unit variance whatever the step, and is at rest before a sequence starts. The device starts where a long pulse of the
lowest input has left it. With tau = 1, steps of 0.25 and inputs in +-2 the noise is about a tenth of the signal.
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
    sigma: float = 0.05  # standard deviation of the noise on dx/dt at x = 0
    corner: float = 0.4  # |x| from which the noise grows with the signal; infinite: it never does
    tau_n: float = 0.5  # correlation time of the noise
    low: float = -2.0  # least input
    high: float = 2.0
    gain: float = 1.0  # of the input; another than 1 is a mismatch
    fine: int = 8  # solver steps per step

    def run(self, inputs: np.ndarray, *, repeats: int = 1, seed: int = 0) -> np.ndarray:
        """Observables (sequences, repeats, steps + 1, 1) under inputs (sequences, steps, 1)."""
        draw = np.random.default_rng(seed)
        h = self.step / self.fine
        keep, fade = np.exp(-h / self.tau), np.exp(-h / self.tau_n)
        shape = (len(inputs), repeats)
        nu = draw.standard_normal(shape)
        x = np.full(shape, self.low * self.gain)
        pulse = np.full(round(8 * self.tau / self.step), self.low)
        rows = []
        for k, s in enumerate([*pulse, *inputs[:, :, 0].T]):
            if k >= len(pulse):
                rows.append(x)
            target = np.broadcast_to(self.gain * s, len(inputs))[:, None]
            for _ in range(self.fine):
                push = self.tau * self.sigma * np.sqrt(1.0 + (x / self.corner) ** 2) * nu
                x = keep * x + (1.0 - keep) * (target + push)
                nu = fade * nu + np.sqrt(1.0 - fade**2) * draw.standard_normal(shape)
        return np.stack([*rows, x], axis=2)[..., None]

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
