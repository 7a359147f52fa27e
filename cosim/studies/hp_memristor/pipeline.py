"""`make hp-memristor`: train if needed, compile, simulate, compare, report; finished steps are not done again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from circuits.array.programming import published_programming
from circuits.errors import SimulationError
from circuits.stages.clamp import CLAMP_ONSET
from circuits.vacask.run import find_vacask
from cosim.comparison.clamp_hits import clamp_hits
from cosim.comparison.second_opinion import second_opinion
from cosim.compiler.options import Options
from cosim.compiler.weight_noise import weight_noise
from cosim.console import Console
from cosim.folder.manifest import Manifest, read_manifest
from cosim.folder.read import read_folder_network
from cosim.problem.case import Case
from cosim.problem.reference import reference
from cosim.simulation.decks import TIMEOUT, Run, frame_to_waveforms, simulate
from cosim.simulation.twin_states import twin_states
from cosim.store.files import content_key, is_current, read_frame, write_frame, write_json
from cosim.store.sources import source_key
from cosim.studies.hp_memristor.errors import case_errors, comparison_frame
from cosim.studies.hp_memristor.experiment import hp_experiment, hp_truth, resnet_states
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths, train_hp_memristor
from training.systems.hp_memristor import DRIVES


@dataclass(frozen=True, kw_only=True)
class HPResults:
    """The layout of ``runs/hp_memristor``."""

    root: Path

    def decks(self, drive: str) -> Path:
        return self.root / "decks" / drive

    def vectors(self, drive: str, stimulus: str) -> Path:
        """All saved node voltages of a run."""
        return self.root / "vectors" / f"{drive}_{stimulus}.parquet"

    def waveforms(self, drive: str, stimulus: str) -> Path:
        """The comparison: time, stimulus, truth, reference, twin."""
        return self.root / "waveforms" / f"{drive}_{stimulus}.parquet"

    def second_opinion(self, drive: str) -> Path:
        """Reduced decks and both engines' results of them."""
        return self.root / "second_opinion" / drive

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"


def ensure_checkpoints(console: Console) -> None:
    """Train what is missing."""
    for drive in DRIVES:
        missing = [path for path in checkpoint_paths(drive) if not path.is_file()]
        if missing:
            console.say(f"training the {drive}-driven networks: {', '.join(p.name for p in missing)} missing")
            with console.bar(f"train {drive}") as bar:
                train_hp_memristor(drive, noise=weight_noise(published_programming()), progress=bar)


def compile_drives(results: HPResults, console: Console, fidelity: str = "flat") -> dict[str, Manifest]:
    """Decks of every drive; unchanged files are left alone."""
    manifests = {}
    for drive in DRIVES:
        hp_experiment(drive, load(checkpoint_paths(drive)[0]).net).compile(results.decks(drive), Options(fidelity=fidelity))
        manifests[drive] = read_manifest(results.decks(drive))
        console.say(f"compiled {len(manifests[drive].cases)} decks, {drive} drive: {results.decks(drive)}")
    return manifests


def simulate_drives(results: HPResults, manifests: dict[str, Manifest], console: Console, *, workers: int | None = None,
                    force: bool = False) -> int:
    """Run every deck whose result is not there yet; returns how many."""
    runs = [
        Run(deck=results.decks(drive) / f"{name}.cir", vectors=results.vectors(drive, name), label=f"{drive} {name}")
        for drive, manifest in manifests.items()
        for name in manifest.cases
    ]
    with console.bars() as bars:
        done = simulate(runs, workers=workers, force=force, progress=bars)
    console.say(f"simulated {len(done)} decks, {len(runs) - len(done)} were done before")
    return len(done)


def cross_check(results: HPResults, console: Console, *, workers: int | None = None, force: bool = False) -> dict[str, dict]:
    """Second opinion on every drive, by drive; empty where VACASK is not installed, which is said.

    It runs the decks with reduced arrays: a flat deck takes VACASK five minutes.
    """
    try:
        find_vacask()
    except SimulationError as missing:
        console.say(f"no second opinion: {missing}")
        return {}
    told = {}
    for drive in DRIVES:
        folder = results.second_opinion(drive)
        hp_experiment(drive, load(checkpoint_paths(drive)[0]).net).compile(folder / "decks", Options(fidelity="macro"))
        console.say(f"second opinion, {drive} drive")
        with console.bars() as bars:
            told[drive] = second_opinion(read_manifest(folder / "decks"), folder / "decks", folder, workers=workers,
                                         timeout=TIMEOUT, force=force, progress=bars)
    return told


def compare_case(results: HPResults, drive: str, case: Case, manifest: Manifest) -> dict:
    """Compare one run, store its waveforms with their row of metrics.json, return that row; not done again when current."""
    path = results.waveforms(drive, case.name)
    vectors_frame = read_frame(results.vectors(drive, case.name))
    key = content_key([vectors_frame.attrs["key"], *(p.read_bytes() for p in checkpoint_paths(drive)),
                       source_key("cosim.studies.hp_memristor.pipeline")])
    if is_current(path, key):
        return read_frame(path).attrs["row"]
    vectors = frame_to_waveforms(vectors_frame)
    states = twin_states(vectors, manifest, case)[:, 0]
    network, resnet = read_folder_network(manifest), load(checkpoint_paths(drive)[1]).net
    frame = comparison_frame(case, hp_truth(drive, case), reference(network, case)[:, 0], states)
    row = {"drive": drive, "stimulus": case.name, "fidelity": manifest.fidelity}
    row |= case_errors(frame, resnet_states(resnet, case))
    row |= {"clamp_hits": clamp_hits(vectors, CLAMP_ONSET)}
    write_frame(path, frame, key, row=row)
    return row


def compare_drives(results: HPResults, manifests: dict[str, Manifest], opinions: dict[str, dict]) -> list[dict]:
    """Rows of every case; metrics.json holds them and the second opinions."""
    rows = [
        compare_case(results, drive, case, manifest)
        for drive, manifest in manifests.items()
        for case in manifest.cases.values()
    ]
    write_json(results.metrics, {"cases": rows, "second_opinion": opinions})
    return rows


def summary(rows: list[dict], results: HPResults) -> pd.DataFrame:
    """The table that is printed and shown in the report, as text cells."""
    table = []
    for row in rows:
        frame = read_frame(results.waveforms(row["drive"], row["stimulus"]))
        full_scale = frame["reference"].abs().max()
        table.append({
            "drive": row["drive"],
            "stimulus": row["stimulus"],
            "circuit MRE": f"{row['circuit_error']['mre']:.3%}",
            "circuit max / full scale": f"{row['circuit_error']['max'] / full_scale:.3%}",
            "model MRE": f"{row['model_error']['mre']:.3%}",
            "total MRE": f"{row['total_error']['mre']:.3%}",
            "total DTW / step": f"{row['total_error']['dtw_per_step']:.2e}",
            "ResNet MRE": f"{row['resnet_error']['mre']:.3%}",
        })
    return pd.DataFrame(table)
