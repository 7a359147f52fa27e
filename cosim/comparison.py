"""The twin's waveform against torch and against the truth, on one grid and in model units."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from circuits.stages.clamp import ONSET
from circuits.waveforms import Waveforms
from cosim.case import Case
from cosim.errors import ResultsError
from cosim.manifest import Manifest
from cosim.metrics import waveform_error
from cosim.scaling import SWING


def twin_states(waveforms: Waveforms, manifest: Manifest, case: Case) -> np.ndarray:
    """States that the circuit computed, (samples, n_states), model units, on the case's grid.

    Raises:
        ResultsError: the run ended early; a partial waveform is never compared.
        circuits.errors.MissingVector: a state line was not saved.
    """
    if waveforms.partial:
        raise ResultsError(f"case {case.name}: the simulation ended early, at {waveforms.scale[-1]:.6g} s; "
                           "a partial waveform is not compared, mend the run first")
    times = manifest.start + case.times * manifest.scales.time
    columns = [waveforms.resample(f"v(x{k}_p)", times) for k in range(len(case.initial))]
    return np.stack(columns, axis=1) / manifest.scales.state


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


def comparison_frame(case: Case, truth: np.ndarray, reference: np.ndarray, twin: np.ndarray) -> pd.DataFrame:
    """One-state comparison as it is stored: time [s], stimulus, truth, reference, twin, all in model units.

    Args:
        truth, reference, twin: (samples,).
    """
    return pd.DataFrame({
        "time": case.times,
        "stimulus": case.inputs(case.times)[:, 0],
        "truth": truth,
        "reference": reference,
        "twin": twin,
    })


def case_errors(frame: pd.DataFrame, resnet: np.ndarray) -> dict[str, dict[str, float]]:
    """The four errors of a case, told apart.

    Returns:
        circuit_error: twin against torch; model_error: torch against truth; total_error: twin against truth;
        resnet_error: the baseline against truth; each a :class:`cosim.metrics.WaveformError` as a dict.
    """
    truth, reference, twin = (frame[name].to_numpy() for name in ("truth", "reference", "twin"))
    return {
        "circuit_error": waveform_error(reference, twin).as_dict(),
        "model_error": waveform_error(truth, reference).as_dict(),
        "total_error": waveform_error(truth, twin).as_dict(),
        "resnet_error": waveform_error(truth, resnet).as_dict(),
    }
