"""`cosim compare`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from circuits.engine.rawfile import read_raw
from circuits.engine.waveforms import Waveforms
from circuits.errors import SimulationError
from cosim.behavioural.simulation import folder_key
from cosim.cli.commands.simulate import default_folder
from cosim.comparison.clamp_hits import hit_lines
from cosim.comparison.metrics import waveform_error
from cosim.comparison.twin_states import twin_states
from cosim.console import Console
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest, read_manifest
from cosim.folder.read import read_folder_network
from cosim.problem.case import Case
from cosim.problem.reference import reference
from cosim.simulation.decks import NGSPICE, VACASK, Engine, deck_key, frame_to_waveforms
from cosim.simulation.store import read_frame


def run(folder: Path, *, waveforms: Path | None) -> None:
    """Print the circuit error of every case whose waveforms are there."""
    manifest = read_manifest(folder)
    source = waveforms or default_folder(folder)
    runs = {name: find_waveforms(source, manifest, name) for name in manifest.cases}
    rows = [row for name, case in manifest.cases.items() for row in circuit_errors(manifest, case, runs[name])]
    Console().table(pd.DataFrame(rows), f"{manifest.subject}: circuit against torch, model units")
    for name, one in runs.items():
        for line in hit_lines(name, one):
            print(f"left its linear range: {line}")


def circuit_errors(manifest: Manifest, case: Case, waveforms: Waveforms) -> list[dict[str, str]]:
    """One row a state of a case; figures as text.

    Raises:
        ResultsError: weights that are not those of the decks, or a run that ended early.
    """
    expected = reference(read_folder_network(manifest), case)
    got = twin_states(waveforms, manifest, case)
    rows = []
    for k in range(expected.shape[1]):
        scale = np.abs(expected[:, k]).max()
        if scale == 0:  # at rest, in torch: no relative error has a meaning
            off = np.abs(got[:, k])
            rows.append({"stimulus": case.name, "state": f"x{k}", "MRE": "torch is 0", "max / full scale": "torch is 0",
                         "L1": f"{off.mean():.3e}", "RMSE": f"{np.sqrt(np.mean(off**2)):.3e}", "DTW": "", "DTW / step": ""})
            continue
        error = waveform_error(expected[:, k], got[:, k])
        rows.append({"stimulus": case.name, "state": f"x{k}", "MRE": f"{error.mre:.4%}",
                     "max / full scale": f"{error.max / scale:.4%}", "L1": f"{error.l1:.3e}", "RMSE": f"{error.rmse:.3e}",
                     "DTW": f"{error.dtw:.4g}", "DTW / step": f"{error.dtw_per_step:.3e}"})
    return rows


def find_waveforms(source: Path, manifest: Manifest, name: str) -> Waveforms:
    """Waveforms of a case from ``<name>.parquet``, or from the ``<name>.raw`` of a designer's own run.

    Raises:
        ResultsError: there are none, or they were simulated from another deck than the folder holds, or ngspice is missing
            and that cannot be told.
    """
    if (path := source / f"{name}.parquet").is_file():
        frame = read_frame(path)
        keys, missing = _keys(manifest, name)
        if frame.attrs.get("key") not in keys:
            deck = manifest.folder / f"{name}.cir"
            if NGSPICE in missing:
                raise ResultsError(f"{path}: whether it was simulated from {deck} as it is now cannot be told without the "
                                   f"ngspice that did it; {missing[NGSPICE].message}")
            raise ResultsError(f"{path} was not simulated from {deck} as it is now; run `cosim simulate` again")
        return frame_to_waveforms(frame)
    if (source / f"{name}.raw").is_file():
        return read_raw(source / f"{name}.raw")[0]
    raise ResultsError(f"neither {name}.parquet nor {name}.raw in {source}; run `cosim simulate` first, or name the folder "
                       "with --waveforms")


def _keys(manifest: Manifest, name: str) -> tuple[set[str], dict[Engine, SimulationError]]:
    """What a result of a case's deck may be marked with, by the engines that are here and by the behavioural model; and the
    engines that are not here."""
    keys, missing = {folder_key(manifest.folder)}, {}
    for engine in (NGSPICE, VACASK):
        try:
            engine.version()
        except SimulationError as error:
            missing[engine] = error
            continue
        keys.add(deck_key(manifest.folder / f"{name}.cir", engine))
    return keys, missing
