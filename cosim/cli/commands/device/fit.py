"""`cosim device fit`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cosim.console import Console
from cosim.store.files import check_writable, write_frame
from training.twins.csv_file import read_csv
from training.twins.fit import FitOptions, fit_twin
from training.twins.ode import ODETwin
from training.twins.recording import Recording
from training.twins.report import frame, sampled, score
from training.twins.store import load_twin, save_twin
from training.twins.twin import Twin


def run(path: Path, options: FitOptions, out: Path, *, lstm: bool, held: float, length: int | None, step_time: float | None,
        force: bool, quiet: bool) -> None:
    """Fit the ODE and the SDE of a recording, and print how near they are to the device on held-out sequences."""
    recording = read_recording(path, length=length, step_time=step_time)
    fitted_on, rest = recording.split(held)
    check_writable(out)
    key = hashlib.sha256(path.read_bytes()).hexdigest()
    console, twins = Console(quiet=quiet), {}
    for kind in ("ode", "sde", *(("lstm",) if lstm else ())):
        chosen = replace(options, kind=kind)
        twins[kind] = _fitted(out / f"{recording.device}_{kind}.npz", fitted_on, chosen, f"{key} {held} {length} {chosen}",
                              drift=twins.get("ode"), force=force, console=console)
    tables = {name: score(twin, rest) for name, twin in twins.items()}
    floor = next(iter(tables.values()))["floor"]
    rows = frame({"device against itself": floor, **{name: scores["twin"] for name, scores in tables.items()}})
    shown = rows.map(lambda value: "" if pd.isna(value) else f"{value:.3g}").rename_axis("twin").reset_index()
    Console().table(shown, f"{recording.device}: {rest.sequences} held-out sequences, {rest.repeats} repeats")
    paths = out / f"{recording.device}.parquet"
    write_frame(paths, sampled(rest, twins), key, device=recording.device, step_time=recording.step_time, units=recording.units)
    print(f"held-out paths: {paths}")


def read_recording(path: Path, *, length: int | None, step_time: float | None) -> Recording:
    """A Parquet file of `cosim device sample`, or a CSV file."""
    if path.suffix.lower() == ".csv":
        return read_csv(path, length=length, step_time=step_time)
    return Recording.read(path)


def _fitted(path: Path, recording: Recording, options: FitOptions, key: str, *, drift: ODETwin | None, force: bool,
            console: Console) -> Twin:
    """The twin that is there already, of the same recording and options, or a new one."""
    if path.is_file() and not force:
        twin = load_twin(path)
        if twin.provenance.get("key") == key:
            console.say(f"{path} is current")
            return twin
    with console.bars() as update:
        twin = fit_twin(recording, options, drift=drift,
                        progress=lambda stage, done, total, _: update(f"{options.kind}, {stage}", done / total))
    twin.provenance["key"] = key
    print(f"twin: {save_twin(path, twin)}")
    return twin
