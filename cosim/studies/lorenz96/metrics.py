"""Figures of the Lorenz96 study: L1 of circuit, model and both together, error growth, valid prediction times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits
from cosim.folder.compiled import CompiledNetwork
from cosim.problem.reference import reference
from cosim.simulation.decks import frame_to_waveforms
from cosim.simulation.twin_states import twin_states
from cosim.studies.lorenz96.experiment import PHASES, Lorenz96Setup, Twin
from training.experiments.lorenz96 import NEURAL_ODE
from training.experiments.lorenz96_evaluation import EXPONENTS
from training.experiments.lorenz96_results import read_results, summarise
from training.lyapunov import attractor_spread, valid_prediction_time

PUBLISHED = {"interpolation": 0.512, "extrapolation": 0.321}  # L1 of the published twin at F = 6, model units
PARTS = 4  # equal parts of a run in which the errors are given, to see which of them grows
THRESHOLD = 0.4  # of the attractor's spread
DEFINITION = ("first time at which the Euclidean distance from the truth exceeds 0.4 times the attractor's spread (root mean "
              "square distance of the true state from its mean), times the largest Lyapunov exponent; counted from the first "
              "sample of the phase")
_ERRORS = {"circuit": ("reference", "twin"), "model": ("truth", "reference"), "total": ("truth", "twin")}


def states(frame: pd.DataFrame, what: str) -> np.ndarray:
    """(samples, d) of "truth", "reference" or "twin", model units."""
    return frame[[name for name in frame.columns if name.startswith(f"{what}_")]].to_numpy()


def error(frame: pd.DataFrame, which: str) -> np.ndarray:
    """(samples, d) model units: "circuit" is twin - torch, "model" torch - truth, "total" twin - truth."""
    expected, got = _ERRORS[which]
    return states(frame, got) - states(frame, expected)


def twin_rows(setup: Lorenz96Setup, twin: Twin, compiled: CompiledNetwork,
              vectors: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, list[dict]]:
    """Waveforms of both phases on the grid of the whole run, and a row of metrics.json for each.

    Args:
        vectors: phase -> stored node voltages [V].
    Returns:
        Columns time [time units], phase, and truth_k, reference_k, twin_k in model units; two rows.
    """
    truth = setup.truth(twin.system)
    frames, rows = [], []
    for phase in PHASES:
        case, span, waveforms = compiled.cases[phase], setup.span(phase), frame_to_waveforms(vectors[phase])
        columns = {"truth": truth[span], "reference": reference(compiled.network, case),
                   "twin": twin_states(waveforms, compiled.manifest, case)}
        frame = pd.DataFrame({"time": setup.grid[span], "phase": phase}
                             | {f"{name}_{k}": x[:, k] for name, x in columns.items() for k in range(x.shape[1])})
        rows.append({"forcing": twin.system.forcing, "seed": twin.seed, "reference_seed": twin.reference, "phase": phase,
                     "fidelity": compiled.fidelity, **_l1(frame), "clamp_hits": clamp_hits(waveforms, CLAMP_ONSET)})
        if twin.system.name in EXPONENTS:
            rows[-1]["valid_prediction"] = _valid_prediction(frame, attractor_spread(truth), EXPONENTS[twin.system.name])
        frames.append(frame)
    return pd.concat(frames, ignore_index=True), rows


def _l1(frame: pd.DataFrame) -> dict:
    absolute = {which: np.abs(error(frame, which)) for which in _ERRORS}
    return {f"{which}_l1": float(e.mean()) for which, e in absolute.items()} | {
        f"{which}_l1_by_part": [float(part.mean()) for part in np.array_split(e, PARTS)] for which, e in absolute.items()}


def _valid_prediction(frame: pd.DataFrame, spread: float, exponent: float) -> dict:
    times = {}
    for who, column in (("model", "reference"), ("circuit", "twin")):
        valid = valid_prediction_time(frame["time"].to_numpy(), states(frame, column), states(frame, "truth"), spread=spread,
                                      exponent=exponent, threshold=THRESHOLD)
        times[who] = {"time": valid.time, "lyapunov_times": valid.lyapunov_times, "censored": valid.censored}
    return times


def all_metrics(setup: Lorenz96Setup, rows: list[dict], lags: dict[str, float]) -> dict:
    """The content of metrics.json."""
    regular = setup.systems[0]
    baselines = [
        {"model": summary.model, "forcing": regular.forcing, "seeds": summary.seeds,
         **{phase: _mean_sd(*getattr(summary, phase)) for phase in PHASES}}
        for summary in summarise(read_results(setup.checkpoints))
        if summary.system == regular.name and summary.model != NEURAL_ODE
    ]
    chaotic = [system for system in setup.systems if system.name in EXPONENTS]
    return {
        "cases": rows,
        "summary": [_summary(rows, system.forcing, phase) for system in setup.systems for phase in PHASES],
        "baselines": baselines,
        "published": {"forcing": 6, **PUBLISHED},
        "valid_prediction": [
            {"forcing": system.forcing, "definition": DEFINITION, "exponent": EXPONENTS[system.name],
             "spread": attractor_spread(setup.truth(system)), "threshold": THRESHOLD,
             "cases": [{"seed": row["seed"], "phase": row["phase"], **row["valid_prediction"]} for row in rows
                       if row["forcing"] == system.forcing]}
            for system in chaotic],
        "trim": {"lag": lags, "unit": "s, circuit time", "time_scale": setup.options.time_scale},
    }


def _summary(rows: list[dict], forcing: float, phase: str) -> dict:
    group = [row for row in rows if (row["forcing"], row["phase"]) == (forcing, phase)]
    summary = {"forcing": forcing, "phase": phase, "seeds": len(group)}
    for which in _ERRORS:
        values = np.array([row[f"{which}_l1"] for row in group])
        summary[f"{which}_l1"] = _mean_sd(values.mean(), values.std(ddof=1) if len(values) > 1 else np.nan)
    return summary


def _mean_sd(mean: float, sd: float) -> dict[str, float | None]:
    return {"mean": float(mean), "sd": None if np.isnan(sd) else float(sd)}  # one seed has no spread; JSON has no NaN
