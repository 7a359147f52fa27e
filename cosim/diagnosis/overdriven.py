"""Signals that torch's own solution drives out of the board's linear range, and what the calibration must cover instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from circuits.board import nets
from circuits.stages.clamp import CLAMP_ONSET
from cosim.compiler.scaling import SWING, Ranges
from cosim.diagnosis.course import Course


@dataclass(frozen=True, kw_only=True)
class Overdriven:
    """One signal."""

    name: str  # in words, e.g. "state x0" or "hidden layer 1"
    volts: float  # V, that torch's solution would put on its line
    limit: float  # V, where its linear range ends
    reaches: float  # model units, largest magnitude in torch's solution
    calibrated: float  # model units, largest magnitude of the calibration that the compiler was given


def overdriven(course: Course, ranges: Ranges) -> Iterator[Overdriven]:
    """Every signal past its limit; a hidden layer as a whole, since its neurons share a scale."""
    scales = course.scales
    *hidden, derivative = course.network.signals(course.inputs, course.reference)
    signals = [(f"external input {nets.external_column(k)}", column, scale, ranges.line, CLAMP_ONSET)
               for k, (column, scale) in enumerate(zip(course.inputs.T, scales.inputs, strict=True))]
    signals += [(f"state {nets.state_column(k)}", column, scale, ranges.line, CLAMP_ONSET)
                for k, (column, scale) in enumerate(zip(course.reference.T, scales.states, strict=True))]
    signals += [(f"hidden layer {number}", layer, scale, ranges.line, CLAMP_ONSET)
                for number, (layer, scale) in enumerate(zip(hidden, scales.hidden, strict=True), start=1)]
    signals += [(f"derivative of state {nets.state_column(k)}", column, scale, ranges.derivative, SWING)
                for k, (column, scale) in enumerate(zip(derivative.T, scales.derivatives, strict=True))]
    for name, values, scale, wanted, limit in signals:
        reaches = float(np.abs(values).max(initial=0.0))
        if reaches * scale > limit:
            yield Overdriven(name=name, volts=reaches * scale, limit=limit, reaches=reaches,
                             calibrated=wanted / ranges.headroom / scale)
