"""Peaks: how far every signal of a board goes, from the torch solution or from simulated waveforms."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from circuits.engine.waveforms import Waveforms
from cosim.compiler.scaling import columns_of
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_model
from cosim.problem.network import Affine, read_network
from cosim.problem.reference import reference


def reference_peaks(manifest: Manifest) -> dict[str, float]:
    """Largest voltage [V] of every signal over all cases of a folder, in the torch solution.

    Keys are the vectors of a deck: ``v(u0)``, ``v(x0_p)``, ``v(xboard.h1_3_p)``, ``v(xboard.d0)``, and
    ``v(xboard.xhidden_1.z3)``, what a neuron is before its rectifier.

    Raises:
        ResultsError: the weights are not those of the decks.
    """
    model, found = read_model(manifest), []
    network = read_network(model)
    for case in manifest.cases.values():
        fine, states = case.fine_times, reference(model, case)
        between = np.stack([np.interp(fine, case.times, column) for column in states.T], axis=1)
        found.append(_network_peaks(manifest, network, case.inputs(fine), between))
    return _largest(found)


def waveform_peaks(manifest: Manifest, runs: Iterable[Waveforms]) -> dict[str, float]:
    """The same [V] from simulated waveforms; what decks do not save, from the network at the simulated inputs and states."""
    network, scales, found = read_network(read_model(manifest)), manifest.scales, []
    for one in runs:
        inputs = np.array([one[f"v(u{k})"] / scale for k, scale in enumerate(scales.inputs)]).reshape(-1, len(one)).T
        states = np.stack([one[f"v(x{k}_p)"] / scales.state for k in range(network[-1].n_outputs)], axis=1)
        found.append(_network_peaks(manifest, network, inputs, states)
                     | {name: float(np.abs(one[name]).max()) for name in one.names[1:]})
    return _largest(found)


def _network_peaks(manifest: Manifest, network: tuple[Affine, ...], inputs: np.ndarray, states: np.ndarray) -> dict[str, float]:
    scales, signal = manifest.scales, columns_of(inputs, states, manifest.columns)
    volts = {"v(u{})": inputs * np.array(scales.inputs), "v(x{}_p)": states * scales.state}
    for number, (layer, scale) in enumerate(zip(network, (*scales.hidden, scales.derivative), strict=True), start=1):
        linear = signal @ layer.weight.T + (0.0 if layer.bias is None else layer.bias)
        signal = layer(signal)
        if number == len(network):
            volts["v(xboard.d{})"] = signal * scale
        else:
            volts |= {f"v(xboard.h{number}_{{}}_p)": signal * scale, f"v(xboard.xhidden_{number}.z{{}})": linear * scale}
    return {name.format(k): float(peak) for name, all_ in volts.items() for k, peak in enumerate(np.abs(all_).max(axis=0))}


def _largest(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: max(one[name] for one in found if name in one) for name in dict.fromkeys(key for one in found for key in one)}
