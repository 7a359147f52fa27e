"""Which state and which hidden neuron part from torch first, and which neuron errs by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.diagnosis.course import Course
from cosim.diagnosis.horizon import LIMIT, horizon

QUIET = 0.1  # of its layer's largest signal; a neuron that stays below is measured against that much


@dataclass(frozen=True, kw_only=True)
class Neurons:
    """What hidden neurons of a run did; parts are those of a neuron's own full scale."""

    first: str  # vector of the neuron that first leaves torch by the limit, e.g. v(xboard.h1_3_p); "": none does
    time: float  # model s, when it does; the end of the run where none does
    worst: str  # vector of the neuron that errs most against what the network makes of the board's own states
    error: float  # its largest error, part of full scale
    error_time: float  # model s


def neurons(course: Course, waveforms: Waveforms, start: float) -> Neurons | None:
    """Compare the saved neurons of a run with torch; None where the network has none, or none was saved.

    Args:
        waveforms: node voltages [V]; start: circuit time [s] at which integration starts.
    """
    at = start + course.times * course.scales.time
    along = course.network.signals(course.inputs, course.reference)[:-1]
    own = course.network.signals(course.inputs, course.twin)[:-1]
    first, worst = ("", float(course.times[-1])), ("", 0.0, 0.0)
    seen = False
    for number, (expected, locally, scale) in enumerate(zip(along, own, course.scales.hidden, strict=True), start=1):
        sizes = np.abs(expected).max(axis=0)
        sizes = np.maximum(sizes, QUIET * sizes.max(initial=0.0))
        for k, size in enumerate(sizes):
            name = nets.hidden_vector(number, k)
            if name not in waveforms or size == 0:
                continue
            seen = True
            got = waveforms.resample(name, at) / scale
            parted = horizon(course.times, (got - expected[:, k]) / size, LIMIT)
            if parted.passed and (not first[0] or parted.time < first[1]):
                first = (name, parted.time)
            off = np.abs(got - locally[:, k]) / size
            if off.max() > worst[1]:
                worst = (name, float(off.max()), float(course.times[np.argmax(off)]))
    if not seen:
        return None
    return Neurons(first=first[0], time=first[1], worst=worst[0], error=worst[1], error_time=worst[2])
