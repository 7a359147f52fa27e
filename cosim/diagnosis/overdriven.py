"""Signals that leave the board's linear range while it is still valid, and what the calibration must cover instead."""

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
    volts: float  # V, that the states put on its line
    limit: float  # V, where its linear range ends
    reaches: float  # model units, its largest magnitude
    calibrated: float  # model units, largest magnitude of the calibration that the compiler was given


def overdriven(course: Course, ranges: Ranges, window: int) -> Iterator[Overdriven]:
    """Every signal past its limit at torch's states or at the board's; a hidden layer as a whole, its neurons share a scale.

    The compiler refuses a case whose torch solution does that, so that it is the board that strays. What leaves its range after
    the valid horizon is a consequence and is not told here.

    Args:
        window: points of the course that are looked at, up to the valid horizon.
    """
    scales, inputs = course.scales, np.tile(course.inputs[:window], (2, 1))
    states = np.concatenate([course.reference[:window], course.twin[:window]])
    *hidden, derivative = course.network.signals(inputs, states)
    signals = [(f"external input {nets.external_column(k)}", column, scale, ranges.line, CLAMP_ONSET)
               for k, (column, scale) in enumerate(zip(inputs.T, scales.inputs, strict=True))]
    signals += [(f"state {nets.state_column(k)}", column, scale, ranges.line, CLAMP_ONSET)
                for k, (column, scale) in enumerate(zip(states.T, scales.states, strict=True))]
    signals += [(f"hidden layer {number}", layer * scale / scale.max(), float(scale.max()), ranges.line, CLAMP_ONSET)
                for number, (layer, scale) in enumerate(zip(hidden, scales.neurons, strict=True), start=1)]
    signals += [(f"derivative of state {nets.state_column(k)}", column, scale, ranges.derivative, SWING)
                for k, (column, scale) in enumerate(zip(derivative.T, scales.derivatives, strict=True))]
    for name, values, scale, wanted, limit in signals:
        reaches = float(np.abs(values).max(initial=0.0))
        if reaches * scale > limit:
            yield Overdriven(name=name, volts=reaches * scale, limit=limit, reaches=reaches,
                             calibrated=wanted / ranges.headroom / scale)
