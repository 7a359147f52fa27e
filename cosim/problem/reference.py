"""Ground truth of the twin: the torch network, solved to tight tolerance."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from cosim.errors import UnsupportedModelError
from cosim.problem.case import Case
from cosim.problem.network import Network
from training.models.neural_ode import solve

_solved: dict[tuple[str, tuple[str, ...], Case], np.ndarray] = {}  # compiling and comparing ask for the same solution


def reference(network: Network, case: Case) -> np.ndarray:
    """Torch solution on the case's grid, (samples, n_states), model units, in float64; read-only.

    Raises:
        UnsupportedModelError: the network's columns are not in the order in which torch is fed.
        training.errors.ModelError: its sizes do not fit the case's stimuli and states.
        training.errors.SolverError: the solution left the finite numbers.
    """
    wanted = nets.standard_columns(network.n_external, network.n_states)
    if network.columns != wanted:
        raise UnsupportedModelError(f"columns {network.columns}: torch is fed with {wanted}, external inputs first, then the "
                                    "states; give the columns, and train, in that order")
    key = (network.hash, network.columns, case)
    if key not in _solved:
        _solved[key] = solve(network.module, case.stimuli, case.initial, case.times)
        _solved[key].setflags(write=False)
    return _solved[key]
