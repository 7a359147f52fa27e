"""What a board's own circuits put into the derivatives, found with the behavioural model and taken out of the output layer.

The lines of neurons that are off hang, and amplifiers have a finite gain. What this does to the derivatives depends on which
neurons are on, so it is nearly a sum of the neurons' outputs and a constant; such a sum can be programmed. A fitted network
needs this more than a trained one: its neurons are many, and their large shares of a derivative cancel. The trim
(:mod:`cosim.diagnosis.trim`) knows the calibration samples alone; the samples here are the runs too, along which the network
was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from circuits.array.programming import Programming
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.signal import Signal
from cosim.compiler.compile import compile_board
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.console import Progress
from cosim.problem.case import Case
from cosim.problem.network import Affine, Network
from cosim.problem.reference import reference

RIDGE = 1e-3  # of a line's range: what a neuron does that uses less is not told from rounding
CALIBRATION = 0.1  # weight of all calibration samples, beside 1 of all runs
MOST = 300  # samples of the calibration, and of each case


@dataclass(frozen=True, kw_only=True, eq=False)
class Correction:
    """What the output layer is programmed to instead of the network's."""

    layer: Affine
    before: float  # RMS error of the derivatives that was found, part of their full scale, the worst state
    after: float  # the same with the correction, by the linear estimate

    @property
    def words(self) -> str:
        """What was done, in a sentence."""
        return (f"the output layer's conductances take out what the board's own circuits do to the derivatives "
                f"({self.before:.3%} of full scale, RMS at calibration and runs; {self.after:.3%} is left)")


def compile_corrected(network: Network, calibration: Calibration, cases: Sequence[Case], options: Options,
                      progress: Progress | None = None) -> CompiledTwin:
    """Compile a board, and once more with the correction that is found on it.

    Programming errors are not known when a board is compiled, so the correction is found without them.

    Args:
        network, calibration, options: as for :func:`cosim.compiler.compile.compile_board`.
        cases: the runs, with a stimulus for every external input.
    Raises:
        As :func:`cosim.compiler.compile.compile_board`.
    """
    twin = compile_board(network, calibration, options if options.kappa else replace(options, programming=Programming()),
                         progress)
    if options.kappa or len(network) < 2:  # nonlinear cells have no behavioural model
        return twin
    found = find_correction(twin, calibration, cases)
    twin = compile_board(network, calibration, options, progress, programmed=(*network.layers[:-1], found.layer))
    return replace(twin, notes=(*twin.notes, found.words))


def find_correction(twin: CompiledTwin, calibration: Calibration, cases: Sequence[Case]) -> Correction:
    """The correction of a nominal board, by least squares over calibration samples and the runs."""
    network, scales = twin.network, twin.scales
    inputs, states, shares = _samples(network, calibration, cases)
    external = torch.from_numpy(inputs * np.array(scales.inputs))
    board, still = make_board(blueprint_of(twin)), Signal(external, torch.zeros_like(external))
    with torch.no_grad():  # every sample is a board of its own, at rest: what lags is another matter
        found = -board(torch.from_numpy(states * scales.state), still, running=False).derivatives.numpy()
    signals = network.signals(inputs, states)
    wanted = signals[-1] * scales.derivative
    constant = np.full((len(states), int(network.layers[-1].bias is not None)), scales.bias)
    table = np.column_stack([signals[-2] * scales.neurons[-1], constant])
    moments = table.T @ (table * shares[:, None])
    moments[np.diag_indices_from(moments)] += (RIDGE * scales.bias) ** 2
    off = found - wanted
    weights = -np.linalg.solve(moments, table.T @ (off * shares[:, None])).T
    last, to_units = network.layers[-1], 1 / scales.derivative[:, None]
    n = last.n_inputs
    layer = replace(last, weight=last.weight + to_units * weights[:, :n] * scales.neurons[-1],
                    bias=None if last.bias is None else last.bias + (to_units * weights[:, n:])[:, 0] * scales.bias)
    return Correction(layer=layer, before=_rms(off, wanted, shares), after=_rms(off + table @ weights.T, wanted, shares))


def _samples(network: Network, calibration: Calibration,
             cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (m, n_external) and states (m, n_states) in model units, and their shares (m,), which add up to 1."""
    chosen = _spread(len(calibration.states))
    inputs, states = [calibration.inputs[chosen]], [calibration.states[chosen]]
    shares = [np.full(len(chosen), CALIBRATION / len(chosen))]
    for case in cases:
        chosen = _spread(len(case.times))
        inputs.append(case.inputs(case.times[chosen]))
        states.append(reference(network, case)[chosen])
        shares.append(np.full(len(chosen), 1 / len(cases) / len(chosen)))
    return np.concatenate(inputs), np.concatenate(states), np.concatenate(shares) / (1 + CALIBRATION)


def _spread(count: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, MOST)).round().astype(int)


def _rms(off: np.ndarray, wanted: np.ndarray, shares: np.ndarray) -> float:
    full_scale = np.abs(wanted).max(axis=0)
    return float((np.sqrt(shares @ off**2) / np.where(full_scale > 0, full_scale, 1.0)).max())
