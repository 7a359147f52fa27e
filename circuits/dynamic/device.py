"""A device: what a node of a network can be asked, whatever it is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.dynamic.noise import ColouredNoise
from circuits.errors import CircuitError


class DeviceError(CircuitError):
    """A device was described, driven or recorded in a way that gives nothing to believe."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """Inputs that are held for a step each go in, observables at every step's start come out."""

    origin: ClassVar[str]  # "deck", "data" or "equation"

    name: str
    purpose: str  # what it models, a sentence
    input_range: tuple[float, float]  # input units, over which it may be driven
    outputs: tuple[str, ...]  # what each observable is
    step_time: float  # s, for which an input is held
    provenance: Mapping[str, str]  # where equation and figures come from
    n_inputs: int = 1
    input_units: str = "V"
    output_units: str = "V"
    noise: ColouredNoise | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.name):
            raise DeviceError(f"device {self.name!r}: use lower-case letters, digits and underscores for its name")
        low, high = self.input_range
        if not (np.isfinite([low, high]).all() and low < high):
            raise DeviceError(f"device {self.name}: input range [{low:g}, {high:g}] {self.input_units}; give a finite low "
                              "and a higher high")
        if not (np.isfinite(self.step_time) and self.step_time > 0):
            raise DeviceError(f"device {self.name}: step_time = {self.step_time} s; give a positive, finite time")

    @property
    def n_outputs(self) -> int:
        return len(self.outputs)

    def draw(self, steps: int, generators: Sequence[np.random.Generator]) -> np.ndarray | None:
        """Noise of runs of so many steps, (runs, points) of unit deviation; None for a device without noise."""
        return None if self.noise is None else self.noise.draw(steps * self.step_time, generators)

    def respond(self, inputs: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Observables under inputs, from the state at rest under the first input.

        Args:
            inputs: (runs, steps, n_inputs), input units, each held for a step.
            noise: as :meth:`draw` gives it; None: without noise.
        Returns:
            (runs, steps + 1, n_outputs), output units; row k at the time k * step_time, before the input of step k is applied.
        Raises:
            DeviceError: shapes that do not fit, an input that is not finite or outside the range.
            SimulationError: the circuit gave nothing to believe.
        """
        raise NotImplementedError

    def run(self, inputs: np.ndarray, *, repeats: int = 1, seed: int = 0) -> np.ndarray:
        """Observables of sequences, each repeated with noise of its own: what a network of devices asks of each layer.

        Args:
            inputs: (sequences, steps, n_inputs), input units.
            seed: of the noise, with the numbers of sequence and repeat.
        Returns:
            (sequences, repeats, steps + 1, n_outputs), output units.
        Raises:
            DeviceError, SimulationError: as for :meth:`respond`.
        """
        inputs = np.asarray(inputs, dtype=float)
        generators = [np.random.default_rng([seed, *run]) for run in np.ndindex(len(inputs), repeats)]
        states = self.respond(np.repeat(inputs, repeats, axis=0), self.draw(inputs.shape[1], generators))
        return states.reshape(len(inputs), repeats, *states.shape[1:])

    def checked(self, inputs: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """The inputs as numbers, when device and noise can take them."""
        inputs = np.asarray(inputs, dtype=float)
        if inputs.ndim != 3 or inputs.shape[2] != self.n_inputs or 0 in inputs.shape:
            raise DeviceError(f"device {self.name}: inputs of shape {inputs.shape}; give (runs, steps, {self.n_inputs})")
        low, high = self.input_range
        slack = 1e-9 * (high - low)
        bad = np.argwhere(~((inputs >= low - slack) & (inputs <= high + slack)))
        if len(bad):
            run, step, number = bad[0]
            raise DeviceError(f"device {self.name}: input {number} of run {run}, step {step} is "
                              f"{inputs[run, step, number]:g} {self.input_units}, outside [{low:g}, {high:g}] (as are "
                              f"{len(bad) - 1} more); scale or clip the inputs")
        if noise is not None:
            if self.noise is None:
                raise DeviceError(f"device {self.name} has no noise; leave out its draws")
            needed = self.noise.samples(inputs.shape[1] * self.step_time)
            if noise.ndim != 2 or len(noise) != len(inputs) or noise.shape[1] < needed:
                raise DeviceError(f"device {self.name}: noise of shape {noise.shape} for {len(inputs)} runs of "
                                  f"{inputs.shape[1]} steps; give ({len(inputs)}, {needed}), as draw() does")
        return inputs

    def facts(self) -> dict[str, str]:
        """What a recording states about the device."""
        noise = {"noise": "none"} if self.noise is None else self.noise.facts(self.output_units)
        return {"purpose": self.purpose, "outputs": ", ".join(self.outputs), "input_units": self.input_units, **noise,
                **self.provenance}
