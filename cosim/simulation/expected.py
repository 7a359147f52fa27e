"""What torch expects on a board's lines."""

from __future__ import annotations

import numpy as np

from cosim.folder.compiled import CompiledNetwork
from cosim.problem.case import Case
from cosim.problem.reference import reference


def hidden_volts(compiled: CompiledNetwork, case: Case) -> list[np.ndarray]:
    """Outputs of the hidden neurons along the torch solution of a case: (samples, neurons) [V] per hidden layer."""
    network = compiled.network
    *hidden, _ = network.signals(case.inputs(case.times), reference(network, case))
    return [signal * scale for signal, scale in zip(hidden, compiled.manifest.scales.neurons, strict=True)]
