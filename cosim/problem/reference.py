"""Ground truth of the twin: the author's network, solved to tight tolerance."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from cosim.problem.case import Case
from cosim.problem.network import Network
from training.integrate import integrate
from training.models.neural_ode import solve

_solved: dict[tuple[str, tuple[str, ...], Case], np.ndarray] = {}  # compiling and comparing ask for the same solution


def reference(network: Network, case: Case) -> np.ndarray:
    """What a board is held against: the solution on the case's grid, (samples, n_states), model units, in float64; read-only.

    It is the author's module that is solved, as it computes when it is called, not the chain that was made of it. Of a network
    that was fitted it is the fitted chain, which is what the board computes; see :func:`author_reference`.

    Raises:
        training.errors.ModelError: the network's sizes do not fit the case's stimuli and states.
        training.errors.SolverError: the solution left the finite numbers.
    """
    return _solution(network if network.fitted is None else network.chain, case)


def author_reference(network: Network, case: Case) -> np.ndarray:
    """The solution of the author's module, whether the network computes the same or was fitted to it; as :func:`reference`."""
    return _solution(network, case)


def _solution(network: Network, case: Case) -> np.ndarray:
    key = (network.identity, network.columns, case)
    if key not in _solved:
        if network.as_called is None and network.columns == nets.standard_columns(network.n_external, network.n_states):
            _solved[key] = solve(network.module, case.stimuli, case.initial, case.times)
        else:
            _solved[key] = _solve(network, case)
        _solved[key].setflags(write=False)
    return _solved[key]


def _solve(network: Network, case: Case) -> np.ndarray:
    breakpoints = {float(t) for stimulus in case.stimuli for t in stimulus.breakpoints(case.duration)}

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        return network.slope(t, np.array([stimulus(t) for stimulus in case.stimuli]), y)

    return integrate(slope, np.array(case.initial), case.times, breakpoints=sorted(breakpoints), rtol=1e-9, atol=1e-11)
