"""Which state and which hidden neuron part from torch first, and which neuron errs by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.compiler.scaling import Scales
from cosim.diagnosis.course import Saved
from cosim.diagnosis.horizon import LIMIT, horizon
from cosim.problem.network import Network

QUIET = 0.1  # of its layer's largest signal; a neuron that stays below is measured against that much


@dataclass(frozen=True, kw_only=True)
class Neurons:
    """What hidden neurons of a run did; parts are those of a neuron's own full scale."""

    first: str  # vector of the neuron that first leaves torch by the limit, e.g. v(xboard.h1_3_p); "": none does
    time: float  # model s, when it does; the end of the run where none does
    worst: str  # vector of the neuron that errs most against what the network makes of the board's own states
    error: float  # its largest error, part of full scale
    error_time: float  # model s


def neurons(saved: Saved, waveforms: Waveforms, network: Network, scales: Scales) -> Neurons | None:
    """Compare the saved neurons of a run with torch; None where the network has none, or none was saved."""
    along = network.signals(saved.inputs, saved.reference)[:-1]
    own = network.signals(saved.inputs, saved.twin)[:-1]
    first, worst, seen = ("", float(saved.times[-1])), ("", 0.0, 0.0), False
    for number, (expected, locally, scale) in enumerate(zip(along, own, scales.neurons, strict=True), start=1):
        sizes = np.abs(expected).max(axis=0)
        sizes = np.maximum(sizes, QUIET * sizes.max(initial=0.0))
        for k, size in enumerate(sizes):
            name = nets.hidden_vector(number, k)
            if name not in waveforms or size == 0:
                continue
            seen = True
            got = waveforms[name][saved.rows] / np.broadcast_to(scale, len(sizes))[k]
            parted = horizon(saved.times, (got - expected[:, k]) / size, LIMIT)
            if parted.passed and (not first[0] or parted.time < first[1]):
                first = (name, parted.time)
            off = np.abs(got - locally[:, k]) / size
            if off.max() > worst[1]:
                worst = (name, float(off.max()), float(saved.times[np.argmax(off)]))
    if not seen:
        return None
    return Neurons(first=first[0], time=first[1], worst=worst[0], error=worst[1], error_time=worst[2])
