"""Ground truth of the twin: the torch network, solved to tight tolerance."""

from __future__ import annotations

import numpy as np
from torch import nn

from cosim.case import Case
from training.models.neural_ode import solve


def reference(model: nn.Module, case: Case) -> np.ndarray:
    """Torch solution on the case's grid, (samples, n_states), model units.

    The model's inputs are the external inputs, then the states.
    """
    return solve(model.double(), case.stimuli or None, case.initial, case.times)
