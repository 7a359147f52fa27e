"""Lines of a board that left their linear range in a simulation."""

from __future__ import annotations

import re

import numpy as np

from circuits.engine.waveforms import Waveforms
from circuits.stages.clamp import ONSET
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
    limits = {r"v\((x\d+|xboard\.h\d+_\d+)_p\)|v\(u\d+\)": limit, r"v\(xboard\.d\d+\)": swing}
    hits = {}
    for name in waveforms.names:
        bound = next((bound for pattern, bound in limits.items() if re.fullmatch(pattern, name)), np.inf)
        volts = np.abs(waveforms[name])
        if (past := volts > bound).any():
            hits[name] = {"peak": float(volts.max()), "time": float(waveforms.scale[np.argmax(past)])}
    return dict(sorted(hits.items(), key=lambda hit: hit[1]["time"]))


def line_words(line: str) -> str:
    """A saved crossbar line as a reader knows it: ``v(xboard.h1_3_p)`` is neuron 3 of hidden layer 1."""
    found = re.fullmatch(r"v\((?:x(?P<state>\d+)|xboard\.h(?P<layer>\d+)_(?P<neuron>\d+))_p\)", line)
    if found is None:
        return line
    return f"state {found['state']}" if found["state"] else f"hidden layer {found['layer']}, neuron {found['neuron']}"


def hit_lines(name: str, waveforms: Waveforms) -> list[str]:
    """Clamp hits of a case in words, a line each, in the order of time; times are the circuit's."""
    return [f"{name}: {line_words(line)} reached {hit['peak']:.3f} V, first past its limit at {hit['time']:.6g} s"
            for line, hit in clamp_hits(waveforms, ONSET).items()]
