"""Peaks: how far every signal of a board goes, from the torch solution or from simulated waveforms."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_folder_network
from cosim.problem.network import Network
from cosim.problem.reference import reference


def reference_peaks(manifest: Manifest) -> dict[str, float]:
    """Largest voltage [V] of every signal over all cases of a folder, in the torch solution.

    Keys are the vectors of a deck: ``v(u0)``, ``v(x0_p)``, ``v(xboard.h1_3_p)``, ``v(xboard.d0)``, and
    ``v(xboard.xhidden_1.z3)``, what a neuron is before its rectifier.

    Raises:
        ResultsError: the weights are not those of the decks.
    """
    network, peaks = read_folder_network(manifest), []
    for case in manifest.cases.values():
        fine, states = case.fine_times, reference(network, case)
        between = np.stack([np.interp(fine, case.times, column) for column in states.T], axis=1)
        peaks.append(_network_peaks(manifest, network, case.inputs(fine), between))
    return _largest(peaks)


def waveform_peaks(manifest: Manifest, runs: Iterable[Waveforms]) -> dict[str, float]:
    """The same [V] from simulated waveforms; what decks do not save, from the network at the simulated inputs and states."""
    network, scales, peaks = read_folder_network(manifest), manifest.scales, []
    for run in runs:
        inputs = np.array([run[nets.external_vector(k)] / scale
                           for k, scale in enumerate(scales.inputs)]).reshape(-1, len(run)).T
        states = np.stack([run[nets.state_vector(k)] for k in range(network.n_states)], axis=1) / scales.state
        peaks.append(_network_peaks(manifest, network, inputs, states)
                     | {name: float(np.abs(run[name]).max()) for name in run.names[1:]})
    return _largest(peaks)


def _network_peaks(manifest: Manifest, network: Network, inputs: np.ndarray, states: np.ndarray) -> dict[str, float]:
    scales = manifest.scales
    *hidden, derivative = network.signals(inputs, states)
    volts = [(nets.external_vector, inputs * np.array(scales.inputs)), (nets.state_vector, states * scales.state)]
    for number, (signal, linear, scale) in enumerate(zip(hidden, network.pre_activations(inputs, states)[:-1], scales.neurons,
                                                         strict=True), start=1):
        volts += [(partial(nets.hidden_vector, number), signal * scale),
                  (partial(nets.before_rectifier_vector, number), linear * scale)]
    volts.append((nets.derivative_vector, derivative * scales.derivative))
    return {vector(k): float(peak) for vector, signals in volts for k, peak in enumerate(np.abs(signals).max(axis=0))}


def _largest(peaks: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for run in peaks for name in run)
    return {name: max(run[name] for run in peaks if name in run) for name in names}
