"""Figures of the Lorenz96 study: L1 of circuit, model and both together, error growth, valid prediction times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_folder_network
from cosim.problem.reference import reference
from cosim.simulation.decks import frame_to_waveforms
from cosim.simulation.twin_states import twin_states
from cosim.store.files import content_key, is_current, read_frame, write_frame
from cosim.store.sources import source_key
from cosim.studies.lorenz96.experiment import PHASES, Study, Twin
from cosim.studies.lorenz96.results import Lorenz96Results
from training.experiments.lorenz96 import NEURAL_ODE, checkpoint_path
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


def compare_twin(study: Study, results: Lorenz96Results, twin: Twin, manifest: Manifest) -> list[dict]:
    """Compare both phases, store their waveforms with the rows of metrics.json, return those; not done again when current."""
    path = results.waveforms(twin)
    checkpoint = checkpoint_path(twin.system.name, twin.seed, study.checkpoints)
    vectors = {phase: read_frame(results.vectors(twin, phase)) for phase in PHASES}
    key = content_key([*(vectors[phase].attrs["key"] for phase in PHASES), checkpoint.read_bytes(),
                       source_key("cosim.studies.lorenz96.metrics")])
    if is_current(path, key):
        return read_frame(path).attrs["rows"]
    network, truth = read_folder_network(manifest), study.truth(twin.system)
    frames, rows = [], []
    for phase in PHASES:
        case, span, waveforms = manifest.cases[phase], study.span(phase), frame_to_waveforms(vectors[phase])
        columns = {"truth": truth[span], "reference": reference(network, case), "twin": twin_states(waveforms, manifest, case)}
        frame = pd.DataFrame({"time": study.grid[span], "phase": phase}
                             | {f"{name}_{k}": x[:, k] for name, x in columns.items() for k in range(x.shape[1])})
        rows.append({"forcing": twin.system.forcing, "seed": twin.seed, "reference_seed": twin.reference, "phase": phase,
                     "fidelity": manifest.fidelity, **_l1(frame), "clamp_hits": clamp_hits(waveforms, CLAMP_ONSET)})
        if twin.system.name in EXPONENTS:
            rows[-1]["valid_prediction"] = _valid_prediction(frame, attractor_spread(truth), EXPONENTS[twin.system.name])
        frames.append(frame)
    write_frame(path, pd.concat(frames, ignore_index=True), key, rows=rows)
    return rows


def _l1(frame: pd.DataFrame) -> dict:
    absolute = {which: np.abs(error(frame, which)) for which in _ERRORS}
    return {f"{which}_l1": float(e.mean()) for which, e in absolute.items()} | {
        f"{which}_l1_by_part": [float(part.mean()) for part in np.array_split(e, PARTS)] for which, e in absolute.items()}


def _valid_prediction(frame: pd.DataFrame, spread: float, exponent: float) -> dict:
    found = {}
    for who, column in (("model", "reference"), ("circuit", "twin")):
        valid = valid_prediction_time(frame["time"].to_numpy(), states(frame, column), states(frame, "truth"), spread=spread,
                                      exponent=exponent, threshold=THRESHOLD)
        found[who] = {"time": valid.time, "lyapunov_times": valid.lyapunov_times, "censored": valid.censored}
    return found


def all_metrics(study: Study, rows: list[dict], lags: dict[str, float]) -> dict:
    """The content of metrics.json."""
    regular = study.systems[0]
    baselines = [
        {"model": one.model, "forcing": regular.forcing, "seeds": one.seeds,
         **{phase: _mean_sd(*getattr(one, phase)) for phase in PHASES}}
        for one in summarise(read_results(study.checkpoints)) if one.system == regular.name and one.model != NEURAL_ODE
    ]
    chaotic = [system for system in study.systems if system.name in EXPONENTS]
    return {
        "cases": rows,
        "summary": [_summary(rows, system.forcing, phase) for system in study.systems for phase in PHASES],
        "baselines": baselines,
        "published": {"forcing": 6, **PUBLISHED},
        "valid_prediction": [
            {"forcing": system.forcing, "definition": DEFINITION, "exponent": EXPONENTS[system.name],
             "spread": attractor_spread(study.truth(system)), "threshold": THRESHOLD,
             "cases": [{"seed": row["seed"], "phase": row["phase"], **row["valid_prediction"]} for row in rows
                       if row["forcing"] == system.forcing]}
            for system in chaotic],
        "trim": {"lag": lags, "unit": "s, circuit time", "time_scale": study.options.time_scale},
    }


def _summary(rows: list[dict], forcing: float, phase: str) -> dict:
    group = [row for row in rows if (row["forcing"], row["phase"]) == (forcing, phase)]
    found = {"forcing": forcing, "phase": phase, "seeds": len(group)}
    for which in _ERRORS:
        values = np.array([row[f"{which}_l1"] for row in group])
        found[f"{which}_l1"] = _mean_sd(values.mean(), values.std(ddof=1) if len(values) > 1 else np.nan)
    return found


def _mean_sd(mean: float, sd: float) -> dict[str, float | None]:
    return {"mean": float(mean), "sd": None if np.isnan(sd) else float(sd)}  # one seed has no spread; JSON has no NaN
