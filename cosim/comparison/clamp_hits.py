"""Lines of a board that left their linear range in a simulation."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from circuits.stages.clamp import CLAMP_ONSET
from cosim.compiler.scaling import SWING


def clamp_hits(waveforms: Waveforms, limit: float, swing: float = SWING) -> dict[str, dict[str, float]]:
    """Lines whose voltage passed its linear limit after all; empty when none did.

    Args:
        limit: [V], of external inputs and crossbar lines, which carry clamps.
        swing: [V], of the derivatives, which only the op-amps' rails stop.
    Returns:
        line -> ``peak`` [V], the largest voltage, and ``time`` [s], circuit time of the first sample past the limit; in the
        order of time, so that the first is where it began.
    """
    limits = {"external": limit, "state": limit, "hidden": limit, "derivative": swing}
    hits = {}
    for name in waveforms.names:
        signal = nets.parse_vector(name)
        bound = np.inf if signal is None else limits.get(signal.kind, np.inf)
        volts = np.abs(waveforms[name])
        if (past := volts > bound).any():
            hits[name] = {"peak": float(volts.max()), "time": float(waveforms.scale[np.argmax(past)])}
    return dict(sorted(hits.items(), key=lambda hit: hit[1]["time"]))


def hit_lines(name: str, waveforms: Waveforms) -> list[str]:
    """Clamp hits of a case in words, a line each, in the order of time; times are the circuit's."""
    return [f"{name}: {nets.signal_words(line)} reached {hit['peak']:.3f} V, first past its limit at {hit['time']:.6g} s"
            for line, hit in clamp_hits(waveforms, CLAMP_ONSET).items()]
