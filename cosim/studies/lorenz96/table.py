"""The table of the Lorenz96 study that is printed and shown in the report, as text cells."""

from __future__ import annotations

import pandas as pd

from cosim.studies.lorenz96.experiment import PHASES

NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "resnet": "recurrent ResNet"}


def table(metrics: dict) -> pd.DataFrame:
    """One row per run, then means over seeds, then the baselines; errors are L1 in model units."""
    cells = []
    for row in metrics["cases"]:
        valid = row.get("valid_prediction")
        cells.append({
            "what": f"F = {row['forcing']:g}, seed {row['seed']}" + (" (reference)" if row["reference_seed"] else ""),
            "phase": row["phase"],
            **{which: f"{row[f'{which}_l1']:.3f}" for which in ("circuit", "model", "total")},
            "valid prediction, torch / circuit": _lyapunov(valid) if valid else "",
        })
    for summary in metrics["summary"]:
        if summary["seeds"] > 1:
            cells.append({
                "what": f"F = {summary['forcing']:g}, {summary['seeds']} seeds, mean ± sd", "phase": summary["phase"],
                **{which: _spread(summary[f"{which}_l1"]) for which in ("circuit", "model", "total")},
                "valid prediction, torch / circuit": "",
            })
    for baseline in metrics["baselines"]:
        model = NAMES.get(baseline["model"], baseline["model"])
        name = f"F = {baseline['forcing']:g}, {model}, {baseline['seeds']} seeds, mean ± sd"
        cells += [{"what": name, "phase": phase, "circuit": "", "model": _spread(baseline[phase]), "total": "",
                   "valid prediction, torch / circuit": ""} for phase in PHASES]
    return pd.DataFrame(cells)


def growth_table(metrics: dict) -> pd.DataFrame:
    """One row per forcing and error: L1 in each quarter of the interpolation, reference seeds."""
    return pd.DataFrame([
        {"what": f"F = {row['forcing']:g}, seed {row['seed']}, {which}",
         **{f"quarter {number}": f"{value:.3f}" for number, value in enumerate(row[f"{which}_l1_by_part"], start=1)}}
        for row in metrics["cases"] if row["reference_seed"] and row["phase"] == PHASES[0]
        for which in ("circuit", "model", "total")])


def lag_table(metrics: dict) -> pd.DataFrame:
    """One row per board: the lag that its lead capacitor takes out."""
    return pd.DataFrame([{"board": name.replace("_", ", "), "lag": f"{1e6 * lag:.1f} µs"}
                         for name, lag in metrics["trim"]["lag"].items()])


def _spread(value: dict) -> str:
    return f"{value['mean']:.3f}" + ("" if value["sd"] is None else f" ± {value['sd']:.3f}")


def _lyapunov(valid: dict) -> str:
    return " / ".join(f"{'> ' if valid[who]['censored'] else ''}{valid[who]['lyapunov_times']:.2f}"
                      for who in ("model", "circuit")) + " Lyapunov times"
