"""`cosim compare`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from circuits.engine.rawfile import read_raw
from circuits.waveforms import Waveforms
from cosim.case import Case
from cosim.commands.simulate import default_folder
from cosim.comparison import twin_states
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.manifest import Manifest, read_manifest
from cosim.metrics import waveform_error
from cosim.reference import reference
from cosim.simulation import read_vectors
from cosim.twin_folder import read_model


def run(folder: Path, *, waveforms: Path | None) -> None:
    """Print the circuit error of every case whose waveforms are there."""
    manifest = read_manifest(folder)
    source = waveforms or default_folder(folder)
    rows = [row for case in manifest.cases.values() for row in circuit_errors(manifest, case, source)]
    Console().table(pd.DataFrame(rows), f"{manifest.subject}: circuit against torch, model units")


def circuit_errors(manifest: Manifest, case: Case, source: Path) -> list[dict[str, str]]:
    """One row a state of a case; figures as text.

    Raises:
        ResultsError: no waveform of the case, or weights that are not those of the decks.
    """
    expected = reference(read_model(manifest), case)
    got = twin_states(find_waveforms(source, case.name), manifest, case)
    rows = []
    for k in range(expected.shape[1]):
        error = waveform_error(expected[:, k], got[:, k])
        scale = np.abs(expected[:, k]).max()
        rows.append({"stimulus": case.name, "state": f"x{k}", "MRE": f"{error.mre:.4%}",
                     "max / full scale": f"{error.max / scale:.4%}", "L1": f"{error.l1:.3e}", "RMSE": f"{error.rmse:.3e}",
                     "DTW": f"{error.dtw:.4g}", "DTW / step": f"{error.dtw_per_step:.3e}"})
    return rows


def find_waveforms(source: Path, name: str) -> Waveforms:
    """Waveforms of a case from ``<name>.parquet``, or from the ``<name>.raw`` of a designer's own run."""
    if (source / f"{name}.parquet").is_file():
        return read_vectors(source / f"{name}.parquet")
    if (source / f"{name}.raw").is_file():
        return read_raw(source / f"{name}.raw")[0]
    raise ResultsError(f"neither {name}.parquet nor {name}.raw in {source}; run `cosim simulate` first, or name the folder "
                       "with --waveforms")
