"""The lag of the loop: how long the amplifiers take to turn states into derivatives, measured on a simulated board."""

from __future__ import annotations

import numpy as np
from torch import nn

from circuits.engine.waveforms import Waveforms
from cosim.compiler.scaling import columns_of
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.problem.case import Case
from cosim.problem.network import read_network

SAMPLES = 4000


def measured_lag(waveforms: Waveforms, manifest: Manifest, case: Case, model: nn.Module) -> float:
    """Lag [s, circuit time] between the network's derivatives at the board's own states and the board's derivatives.

    The board's ``d`` nodes are compared with the torch network evaluated at the board's ``x`` lines, so neither the
    closed loop's drift nor a lead capacitor, which acts behind ``d``, changes the answer. Least squares of
    d(t) = f(x(t)) - lag * df/dt over the run; a run of a time unit or two is enough.

    Args:
        waveforms: of a deck of ``case``, V.
    Raises:
        ResultsError: the derivatives do not move, so that there is nothing to time.
    """
    scales = manifest.scales
    t = np.linspace(manifest.start + 1e-3 * (waveforms.time[-1] - manifest.start), waveforms.time[-1], SAMPLES)
    n = len(case.initial)
    states = np.stack([waveforms.resample(f"v(x{k}_p)", t) for k in range(n)], axis=1) / scales.state
    got = -np.stack([waveforms.resample(f"v(xboard.d{k})", t) for k in range(n)], axis=1) / scales.derivative
    wanted = columns_of(case.inputs((t - manifest.start) / scales.time), states, manifest.columns)
    for layer in read_network(model):
        wanted = layer(wanted)
    slope = np.gradient(wanted, t, axis=0)
    power = float((slope**2).sum())
    if power == 0:
        raise ResultsError(f"case {case.name}: the derivatives are constant, so the loop's lag cannot be measured; use a case "
                           "that moves")
    return float(((wanted - got) * slope).sum() / power)
