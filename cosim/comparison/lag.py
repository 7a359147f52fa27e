"""The lag of the loop: how long the amplifiers take to turn states into derivatives, measured on a simulated board."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.problem.case import Case
from cosim.problem.network import Network

SAMPLES = 4000


def measured_lag(waveforms: Waveforms, manifest: Manifest, case: Case, network: Network) -> float:
    """Lag [s, circuit time] between the network's derivatives at the board's own states and the board's derivatives.

    The board's ``d`` nodes are compared with the torch network evaluated at the board's ``x`` lines, so neither the
    closed loop's drift nor a lead capacitor, which acts behind ``d``, changes the answer. Least squares of
    d(t) = f(x(t)) - lag * df/dt over the run; a run of a time unit or two is enough.

    Args:
        network: that the board computes.
        waveforms: of a deck of ``case``, V.
    Raises:
        ResultsError: the derivatives do not move, so that there is nothing to time.
    """
    scales = manifest.scales
    t = np.linspace(manifest.start + 1e-3 * (waveforms.time[-1] - manifest.start), waveforms.time[-1], SAMPLES)
    n = len(case.initial)
    states = np.stack([waveforms.resample(nets.state_vector(k), t) for k in range(n)], axis=1) / scales.state
    got = -np.stack([waveforms.resample(nets.derivative_vector(k), t) for k in range(n)], axis=1) / scales.derivative
    wanted = network.derivative(case.inputs((t - manifest.start) / scales.time), states)
    slope = np.gradient(wanted, t, axis=0)
    power = float((slope**2).sum())
    if power == 0:
        raise ResultsError(f"case {case.name}: the derivatives are constant, so the loop's lag cannot be measured; use a case "
                           "that moves")
    return float(((wanted - got) * slope).sum() / power)
