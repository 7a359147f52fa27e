"""What a device is driven with to be sampled: how many sequences, how long, which inputs, from which state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.dynamic.device import Device
from cosim.errors import ResultsError

LONGEST_HOLD = 8  # steps
INPUTS, NOISE = 0, 1  # what a generator is for; the second word of its seed


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """Random inputs over a device's range. Everything drawn depends on the seed and its own number alone, so that a plan of
    more sequences or repeats holds the smaller one."""

    sequences: int
    length: int  # steps
    repeats: int
    seed: int
    pulse: int = 12  # steps at the highest input before a sequence starts; their noise gives the spread of the initial states

    def __post_init__(self) -> None:
        for name in ("sequences", "length", "repeats", "pulse"):
            value = getattr(self, name)
            if value < 1:
                raise ResultsError(f"{name} = {value}; give 1 or more")
        if self.sequences < 2:
            raise ResultsError("one sequence is not enough: a fit holds sequences out; give 2 or more")
        if self.seed < 0:
            raise ResultsError(f"seed = {self.seed}; give 0 or more")

    @property
    def runs(self) -> list[tuple[int, int]]:
        """(sequence, repeat) of every run, in order."""
        return [(sequence, repeat) for sequence in range(self.sequences) for repeat in range(self.repeats)]

    def inputs(self, device: Device, sequence: int) -> np.ndarray:
        """Inputs of a sequence, (length, n_inputs): uniform over the range; new at every step where the sequence's number is
        even, held for 1 to LONGEST_HOLD steps where it is odd."""
        generator = np.random.default_rng([self.seed, INPUTS, sequence])
        values = generator.uniform(*device.input_range, (self.length, device.n_inputs))
        if sequence % 2:
            holds = generator.integers(1, LONGEST_HOLD + 1, self.length)
            values = np.repeat(values, holds, axis=0)[: self.length]
        return values

    def driven(self, device: Device, sequence: int) -> np.ndarray:
        """The same behind the pulse, (pulse + length, n_inputs)."""
        pulse = np.full((self.pulse, device.n_inputs), device.input_range[1])
        return np.concatenate([pulse, self.inputs(device, sequence)])

    def generator(self, sequence: int, repeat: int) -> np.random.Generator:
        """What a run's noise is drawn from."""
        return np.random.default_rng([self.seed, NOISE, sequence, repeat])
