"""Whether a run stays in the stages' linear ranges, told before anything is written."""

from __future__ import annotations

import numpy as np

from circuits.stages.clamp import CLAMP_ONSET
from cosim.compiler.scaling import SWING, Scales
from cosim.errors import ClippingError
from cosim.problem.network import Network


def check_clipping(network: Network, scales: Scales, inputs: np.ndarray, states: np.ndarray, times: np.ndarray, what: str, *,
                   two_stage: bool = False) -> None:
    """Refuse a run that would drive a stage out of its linear range.

    Args:
        inputs, states: (m, n) model units, the expected trajectory; times: (m,) model seconds.
        what: name of the run, for the message.
        two_stage: neurons whose first amplifier gives the negative side of the ReLU too.
    Raises:
        ClippingError: names the stage, the voltage, the limit and the time.
    """
    *hidden, derivative = network.signals(inputs, states)
    last_limit = SWING if not network.layers[-1].relu else CLAMP_ONSET
    stages = [(f"external input {k}", inputs[:, [k]], scales.inputs[k], CLAMP_ONSET) for k in range(inputs.shape[1])]
    stages.append(("state", states, scales.state, CLAMP_ONSET))
    stages += [(f"hidden layer {number}", signal, scale, CLAMP_ONSET)
               for number, (signal, scale) in enumerate(zip(hidden, scales.neurons, strict=True), start=1)]
    if two_stage:
        linear = zip(network, network.pre_activations(inputs, states), scales.neurons, strict=False)  # none in the output layer
        stages += [(f"the first amplifiers of hidden layer {number}", signal, scale, SWING)
                   for number, (layer, signal, scale) in enumerate(linear, start=1) if layer.relu]
    stages.append(("output layer", derivative, scales.derivative, last_limit))
    for name, signal, scale, limit in stages:
        volts = np.abs(signal) * scale
        if (volts > limit).any():
            first = int(np.argmax((volts > limit).any(axis=1)))
            k = int(np.argmax(volts[first]))
            raise ClippingError(
                f"{what} drives {name}, line {k}, past its linear limit of {limit:.2f} V at t = {times[first]:.4g} s, and to "
                f"{volts[:, k].max():.3f} V; lower the stimulus, or calibrate with it so that the scale becomes smaller"
            )
