"""Fits of twins on a noisy leaky integrator that is an equation: time, and distance from the device on held-out inputs.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.twins    # three minutes; --docs FILE writes the tables

Every twin is fitted to the same recording (400 sequences of 20 steps, 8 repeats) and held against 500 repeats of 24 other ones.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.leaky_device import LeakyDevice
from cosim.report.markdown_table import MarkdownTable, write_tables
from training.twins.fit import FitOptions, fit_twin
from training.twins.report import Scores, score

ROWS = {
    "ODE, free runs": FitOptions(kind="ode"),
    "LSTM of as many parameters": FitOptions(kind="lstm"),
    "SDE, Kalman likelihood, 3 auxiliaries": FitOptions(),
    "SDE, Kalman likelihood, 10 auxiliaries": FitOptions(auxiliaries=10),
    "SDE, energy score": FitOptions(method="energy"),
    "SDE, WGAN-GP with moments": FitOptions(method="adversarial"),
}
HEADINGS = {"one_step": "one step", "free_run": "free run", "mean": "mean", "std": "rel. std",
            "autocovariance": "rel. autocovariance", "spectrum": "spectrum, dB", "marginal": "marginal"}


def row(name: str, seconds: float | None, scores: Scores) -> dict[str, str]:
    """A row of the table, as text."""
    values = {heading: getattr(scores, field) for field, heading in HEADINGS.items()}
    figures = {heading: "" if math.isnan(value) else f"{value:.3g}" for heading, value in values.items()}
    return {"twin": name, "CPU s": "" if seconds is None else f"{seconds:.0f}", **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="write the tables to this Markdown file")
    parser.add_argument("--seed", type=int, default=0, help="of the twins; the recordings are always the same")
    args = parser.parse_args()
    device = LeakyDevice()
    recording, held = device.record(400, 20, 8, seed=1), device.record(24, 20, 1000, seed=99)
    rows = []
    for name, options in ROWS.items():
        before = time.process_time()
        twin = fit_twin(recording, replace(options, seed=args.seed))
        seconds = time.process_time() - before
        found = score(twin, held)
        if not rows:
            rows.append(row("floor: device against itself", None, found["floor"]))
        rows.append(row(name, seconds, found["twin"]))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if args.docs:
        note = ("Distances from the device on held-out inputs, 500 repeats a side: RMS error of one step and of the mean free "
                "run, and difference of the means, in standard deviations of the observable; relative differences of the "
                "standard deviation and of the autocovariance (lags 0 to 10); power density; Wasserstein distance of a "
                "row's values in standard deviations of its noise. Times are noisy.")
        write_tables(args.docs, "Twins of a noisy leaky integrator", [MarkdownTable(heading="Fits", frame=table, note=note)],
                     command=f"python -m benchmarks.twins {shlex.join(sys.argv[1:])}".strip())


if __name__ == "__main__":
    main()
