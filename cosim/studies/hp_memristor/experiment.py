"""The HP memristor experiment: two drives, four stimuli each."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from circuits.netlist.solver import STEPPED
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.problem.case import Case
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from training.models.recurrent_resnet import rollout
from training.stimuli import STIMULI, Stimulus
from training.systems.hp_memristor import DRIVES

SUBJECTS = {"current": "HP memristor, current drive", "voltage": "HP memristor, voltage drive"}
COLUMNS = ("u0", "x0")  # drive, state
TRAINED_ON = "sine"


def hp_case(drive: str, stimulus: Stimulus) -> Case:
    """One run: 0.5 s, 500 samples, from the system's initial state."""
    system = DRIVES[drive]
    grid = system.grid()
    return Case(name=stimulus.name, stimuli=(stimulus,), initial=tuple(system.initial_state().tolist()),
                duration=float(grid[-1]), samples=len(grid))


def hp_experiment(drive: str, model: nn.Module) -> Experiment:
    """The experiment of one drive; scales are calibrated on the sine, the stimulus that the network was trained on."""
    sine = hp_case(drive, STIMULI[TRAINED_ON])
    return Experiment(
        subject=SUBJECTS[drive],
        model=model,
        columns=COLUMNS,
        calibration=Calibration(inputs=sine.inputs(sine.times), states=reference(read_network(model, COLUMNS), sine)),
        cases=tuple(hp_case(drive, stimulus) for stimulus in STIMULI.values()),
    )


def hp_options(**changes) -> Options:
    """What the twin is compiled with; ``changes`` are fields of :class:`cosim.compiler.options.Options`.

    The solver is the one with the fewest steps that `make convergence` finds accurate enough.
    """
    return Options(**{"solver": STEPPED, **changes})


def hp_truth(drive: str, case: Case) -> np.ndarray:
    """True state (samples,), model units."""
    return DRIVES[drive].solve(case.stimuli[0], case.times).state[:, 0]


@torch.no_grad()
def resnet_states(net: nn.Module, case: Case) -> np.ndarray:
    """What the recurrent ResNet makes of the case, (samples,), model units."""
    u = torch.from_numpy(case.inputs(case.times))
    return rollout(net.double(), u, torch.tensor(case.initial, dtype=torch.float64))[:, 0].numpy()
