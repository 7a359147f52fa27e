"""The same decks on an independent simulator, and how far apart the two are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from circuits.board import nets
from cosim.console import Progress
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.simulation.decks import NGSPICE, VACASK, Run, read_vectors, simulate
from cosim.simulation.twin_states import twin_states
from cosim.store.files import write_json

AGREE = 1e-3  # of full scale: two simulators further apart are not one circuit
SECOND_OPINION_NAME = "second_opinion.json"


def second_opinion(manifest: Manifest, folder: Path, out: Path, *, workers: int, timeout: float, force: bool = False,
                   progress: Progress | None = None) -> dict:
    """Simulate every case on both engines, what is current is not run again, and compare the states.

    Args:
        manifest: of ``folder``, which holds the decks.
        out: waveforms go to ``out/vectors`` and ``out/vacask``, the deviations to ``out/second_opinion.json``.
    Returns:
        What the file holds: ``engines`` (names with versions), ``limit``, and ``cases``, one a state: stimulus, state,
        full_scale [model units], max and rms [parts of full scale], agrees.
    Raises:
        circuits.errors.CircuitError: VACASK is not installed, a deck was refused, or a run failed.
    """
    places = {"vectors": NGSPICE, "vacask": VACASK}
    for place, engine in reversed(places.items()):  # VACASK first: where it is missing, nothing has been waited for
        runs = [Run(deck=folder / f"{name}.cir", vectors=out / place / f"{name}.parquet", label=f"{name}, {engine.version()}")
                for name in manifest.cases]
        simulate(runs, workers=workers, timeout=timeout, force=force, progress=progress, engine=engine)
    rows = []
    for case in manifest.cases.values():
        one, other = (twin_states(read_vectors(out / place / f"{case.name}.parquet"), manifest, case) for place in places)
        rows += [{"stimulus": case.name, "state": nets.state_column(k), **deviation(one[:, k], other[:, k])}
                 for k in range(one.shape[1])]
    told = {"engines": [engine.version() for engine in places.values()], "limit": AGREE, "cases": rows}
    write_json(out / SECOND_OPINION_NAME, told)
    return told


def table(told: Mapping) -> pd.DataFrame:
    """Deviations as text cells."""
    return pd.DataFrame([{"stimulus": row["stimulus"], "state": row["state"], "full scale": f"{row['full_scale']:.4g}",
                          "max / full scale": f"{row['max']:.2e}", "rms / full scale": f"{row['rms']:.2e}"}
                         for row in told["cases"]])


def check_agreement(told: Mapping) -> None:
    """Fail when the engines are further apart than the limit.

    Raises:
        ResultsError: names every state that is, and what to do.
    """
    apart = [row for row in told["cases"] if not row["agrees"]]
    if apart:
        named = ", ".join(f"{row['stimulus']} {row['state']} by {row['max']:.2e}" for row in apart)
        raise ResultsError(f"{' and '.join(told['engines'])} differ by more than {told['limit']:g} of full scale: {named}; "
                           "tighten reltol and the largest step of both decks to see which of them moves")


def deviation(one: np.ndarray, other: np.ndarray) -> dict[str, float | bool]:
    """How far two waveforms are apart, in parts of the first one's largest magnitude."""
    full_scale = float(np.abs(one).max())
    apart = np.abs(one - other) / full_scale if full_scale else np.abs(one - other)
    return {"full_scale": full_scale, "max": float(apart.max()), "rms": float(np.sqrt(np.mean(apart**2))),
            "agrees": bool(apart.max() <= AGREE)}
