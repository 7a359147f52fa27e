"""Ground truth of the twin: the torch network, solved to tight tolerance."""

from __future__ import annotations

import numpy as np
from torch import nn

from cosim.case import Case
from cosim.errors import UnsupportedModelError
from cosim.network import Affine, network_hash, read_network
from training.integrate import integrate

_solved: dict[tuple[str, Case], np.ndarray] = {}  # compiling and comparing ask for the same solution


def reference(model: nn.Module, case: Case) -> np.ndarray:
    """Torch solution on the case's grid, (samples, n_states), model units; read-only.

    The model's inputs are the external inputs, then the states. Its weights are evaluated in numpy, whose float64
    results differ from torch's by rounding and come twenty times sooner for one sample at a time.

    Raises:
        UnsupportedModelError: the network's sizes do not fit the case's stimuli and states.
        training.errors.SolverError: the solution left the finite numbers.
    """
    network = read_network(model)
    key = (network_hash(network), case)
    if key not in _solved:
        _solved[key] = _solve(network, case)
        _solved[key].setflags(write=False)
    return _solved[key]


def _solve(layers: tuple[Affine, ...], case: Case) -> np.ndarray:
    n_states = len(case.initial)
    wanted = len(case.stimuli) + n_states
    if layers[0].n_inputs != wanted or layers[-1].n_outputs != n_states:
        raise UnsupportedModelError(
            f"case {case.name}: the network takes {layers[0].n_inputs} inputs and gives {layers[-1].n_outputs} derivatives; "
            f"{len(case.stimuli)} stimuli and {n_states} states need {wanted} and {n_states}"
        )

    def rhs(t: float, y: np.ndarray) -> np.ndarray:
        x = np.concatenate([[stimulus(t) for stimulus in case.stimuli], y])
        for layer in layers:
            x = layer(x)
        return x

    corners = [stimulus.breakpoints(case.duration) for stimulus in case.stimuli]
    return integrate(rhs, case.initial, case.times, breakpoints=np.unique(np.concatenate([[], *corners])))
