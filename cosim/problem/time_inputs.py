"""Networks that take time: what they make of time alone reaches the board as further external inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cosim.problem.case import Case
from cosim.problem.network import Network
from training.stimuli import Function, Ramp, Stimulus

ERROR = 1e-5  # of its range, to which a function of time is sampled


def timed_cases(network: Network, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Cases with a stimulus for every input that the network makes of time: a ramp for time itself, else samples.

    Args:
        cases: with the stimuli of the network's own inputs.
    Raises:
        CosimError: a function of time cannot be sampled over a case; names both.
    """
    further = _stimuli(network)
    return tuple(replace(case, stimuli=(*case.stimuli, *further)) for case in cases) if further else tuple(cases)


def time_values(network: Network, times: np.ndarray) -> np.ndarray:
    """What the network makes of time, (m, further inputs), at times (m,) [model s]."""
    made = network.as_called.time_inputs if network.as_called else ()
    return np.array([[value(float(t)) for value in made] for t in times]).reshape(len(times), len(made))


def _stimuli(network: Network) -> tuple[Stimulus, ...]:
    if network.as_called is None:
        return ()
    return tuple(Function(made, error=ERROR) if made.value else Ramp(slope=1.0) for made in network.as_called.time_inputs)
