"""The Lorenz96 experiment: two forcings, two phases each, on one published trajectory.

The board has one integrator per site and no external input: the ring is autonomous.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from torch import nn

from circuits.board.nets import standard_columns
from circuits.netlist.solver import Solver
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration, Ranges
from cosim.errors import CosimError
from cosim.experiment import Experiment
from cosim.problem.case import Case
from training.experiments.lorenz96 import CHECKPOINTS
from training.systems.lorenz96 import DURATION, FORCINGS, SAMPLES, TRAINING_SAMPLES, Lorenz96

PHASES = ("interpolation", "extrapolation")
TRIM = "trim"
# Measured against trtol=1 and steps of 0.0015 time units, docs/explanation/lorenz96.md: eight times fewer points.
FAST = Solver(trtol=50.0, chgtol=1e-11)
MAX_STEP = 0.01  # time units


def lorenz96_options(time_scale: float = 1e-2) -> Options:
    """The nominal board of this experiment; why, with the figures: docs/explanation/lorenz96.md."""
    return Options(fidelity="macro", time_scale=time_scale, neuron="two_stage", ranges=Ranges(derivative=0.25), solver=FAST,
                   max_step=MAX_STEP)


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One network on its own board."""

    system: Lorenz96
    seed: int
    reference: bool  # the seed with the lowest validation L1: its waveforms are the forcing's

    @property
    def forcing(self) -> str:
        """For file names, e.g. f6."""
        return f"f{self.system.forcing:g}"

    @property
    def name(self) -> str:
        """Of its board."""
        return f"{self.forcing}_seed{self.seed}"

    @property
    def waveforms_name(self) -> str:
        """Of the file that holds its comparison: time, phase, truth, reference, twin; a forcing's reference has its name."""
        return self.forcing if self.reference else self.name


@dataclass(frozen=True, kw_only=True)
class Lorenz96Setup:
    """What is compiled and compared; the defaults are the published experiment."""

    systems: tuple[Lorenz96, ...] = tuple(FORCINGS.values())
    seeds: int = 3  # networks of the first forcing; the others have one
    samples: int = SAMPLES
    training_samples: int = TRAINING_SAMPLES  # interpolation; the rest is extrapolation
    duration: float = DURATION  # time units, of all samples
    trim_samples: int = 76  # 1.5 time units, for the lag of the loop
    checkpoints: Path = CHECKPOINTS
    options: Options = field(default_factory=lorenz96_options)

    def __post_init__(self) -> None:
        if not (2 <= self.trim_samples <= self.training_samples <= self.samples - 2 and self.seeds >= 1):
            raise CosimError(f"Lorenz96 study of {self.samples} samples, {self.training_samples} for training, "
                             f"{self.trim_samples} to trim, {self.seeds} seeds; give each part at least 2 samples, and at "
                             "least 1 seed")

    @property
    def grid(self) -> np.ndarray:
        """(samples,) time units."""
        return np.linspace(0.0, self.duration, self.samples)

    def span(self, phase: str) -> slice:
        """Samples of a phase."""
        return {"interpolation": slice(0, self.training_samples), "extrapolation": slice(self.training_samples, self.samples),
                TRIM: slice(0, self.trim_samples)}[phase]

    def truth(self, system: Lorenz96) -> np.ndarray:
        """(samples, d) model units; read-only."""
        return _truth(system, self.samples, self.duration)

    def case(self, system: Lorenz96, phase: str) -> Case:
        """The run of a phase, from its first true sample."""
        span = self.span(phase)
        times = self.grid[span]
        return Case(name=phase, stimuli=(), initial=tuple(self.truth(system)[span.start].tolist()),
                    duration=float(times[-1] - times[0]), samples=len(times))

    def experiment(self, twin: Twin, model: nn.Module, phases: tuple[str, ...]) -> Experiment:
        """What the compiler needs; scales are calibrated on the training span of the truth, never beyond it."""
        states = self.truth(twin.system)[: self.training_samples]
        return Experiment(
            subject=f"Lorenz96, F = {twin.system.forcing:g}, seed {twin.seed}",
            model=model,
            columns=standard_columns(0, states.shape[1]),
            calibration=Calibration(inputs=np.empty((len(states), 0)), states=states),
            cases=tuple(self.case(twin.system, phase) for phase in phases),
        )


@cache
def _truth(system: Lorenz96, samples: int, duration: float) -> np.ndarray:
    state = system.solve(np.linspace(0.0, duration, samples)).state
    state.setflags(write=False)
    return state
