"""Peaks: how far every signal of a board goes, from the torch solution or from simulated waveforms."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from circuits.waveforms import Waveforms
from cosim.errors import ResultsError
from cosim.manifest import Manifest
from cosim.network import network_hash, read_network
from cosim.reference import reference
from cosim.scaling import columns_of
from training.checkpoint import load


def reference_peaks(manifest: Manifest) -> dict[str, float]:
    """Largest voltage [V] of every signal over all cases of a folder, in the torch solution.

    Keys are the vectors of a deck: ``v(u0)``, ``v(x0_p)``, ``v(xboard.h1_3_p)``, ``v(xboard.d0)``, and
    ``v(xboard.xhidden_1.z3)``, what a neuron is before its rectifier.

    Raises:
        ResultsError: the weights are not those of the decks.
    """
    model = load(manifest.weights).net
    network, scales = read_network(model), manifest.scales
    if network_hash(network) != manifest.weights_sha256:
        raise ResultsError(f"{manifest.weights} does not hold the weights that the decks were compiled from; compile again")
    peaks: dict[str, float] = {}
    for case in manifest.cases.values():
        fine, states = case.fine_times, reference(model, case)
        states = np.stack([np.interp(fine, case.times, column) for column in states.T], axis=1)
        inputs = case.inputs(fine)
        _keep(peaks, "v(u{})", inputs * np.array(scales.inputs))
        _keep(peaks, "v(x{}_p)", states * scales.state)
        signal = columns_of(inputs, states, manifest.columns)
        for number, (layer, scale) in enumerate(zip(network, (*scales.hidden, scales.derivative), strict=True), start=1):
            linear = signal @ layer.weight.T + (0.0 if layer.bias is None else layer.bias)
            signal = layer(signal)
            if number == len(network):
                _keep(peaks, "v(xboard.d{})", signal * scale)
            else:
                _keep(peaks, f"v(xboard.h{number}_{{}}_p)", signal * scale)
                _keep(peaks, f"v(xboard.xhidden_{number}.z{{}})", linear * scale)
    return peaks


def waveform_peaks(runs: Iterable[Waveforms]) -> dict[str, float]:
    """The same [V] from simulated waveforms, of the vectors that were saved."""
    peaks: dict[str, float] = {}
    for waveforms in runs:
        for name in waveforms.names[1:]:
            peaks[name] = max(peaks.get(name, 0.0), float(np.abs(waveforms[name]).max()))
    return peaks


def _keep(peaks: dict[str, float], name: str, volts: np.ndarray) -> None:
    for k, column in enumerate(np.abs(volts).max(axis=0)):
        peaks[name.format(k)] = max(peaks.get(name.format(k), 0.0), float(column))
