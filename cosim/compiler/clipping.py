"""Whether a run stays in the stages' linear ranges, told before anything is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from circuits.stages.clamp import ONSET
from cosim.compiler.scaling import SWING, Scales, columns_of, signals
from cosim.errors import ClippingError
from cosim.problem.network import Affine


def check_clipping(layers: tuple[Affine, ...], columns: tuple[str, ...], scales: Scales, inputs: np.ndarray,
                   states: np.ndarray, times: np.ndarray, what: str, *, two_stage: bool = False) -> None:
    """Refuse a run that would drive a stage out of its linear range.

    Args:
        two_stage: neurons whose first amplifier gives the negative side of the ReLU too.
        inputs, states: (m, n) model units, the expected trajectory; times: (m,) model seconds.
        what: name of the run, for the message.
    Raises:
        ClippingError: names the stage, the voltage, the limit and the time.
    """
    first = columns_of(inputs, states, columns)
    outputs = signals(layers, first)
    last_limit = SWING if not layers[-1].relu else ONSET
    stages = [(f"external input {k}", inputs[:, [k]], scales.inputs[k], ONSET) for k in range(inputs.shape[1])]
    stages.append(("state", states, scales.state, ONSET))
    stages += [(f"hidden layer {k}", out, scale, ONSET)
               for k, (out, scale) in enumerate(zip(outputs[:-1], scales.hidden, strict=True), start=1)]
    if two_stage:
        hidden = zip(layers, (first, *outputs), scales.hidden, strict=False)  # the output layer has no such neuron
        stages += [(f"the first amplifiers of hidden layer {k}", replace(layer, relu=False)(feeding), scale, SWING)
                   for k, (layer, feeding, scale) in enumerate(hidden, start=1) if layer.relu]
    stages.append(("output layer", outputs[-1], scales.derivative, last_limit))
    for name, signal, scale, limit in stages:
        volts = np.abs(signal) * scale
        if (volts > limit).any():
            first = int(np.argmax((volts > limit).any(axis=1)))
            k = int(np.argmax(volts[first]))
            raise ClippingError(
                f"{what} drives {name}, line {k}, past its linear limit of {limit:.2f} V at t = {times[first]:.4g} s, and to "
                f"{volts[:, k].max():.3f} V; lower the stimulus, or calibrate with it so that the scale becomes smaller"
            )
