"""`cosim report`."""

from __future__ import annotations

import json
from pathlib import Path

from cosim.comparison.second_opinion import SECOND_OPINION_NAME
from cosim.errors import ResultsError
from cosim.folder.manifest import read_manifest
from cosim.studies.hp_memristor.pipeline import HPResults, compare_drives
from training.systems.hp_memristor import DRIVES


def run(folder: Path) -> None:
    """Compare and draw again from the stored node voltages."""
    results = HPResults(root=folder)
    if not folder.is_dir():
        raise ResultsError(f"{folder} does not exist; run `make hp-memristor` first")
    from cosim.studies.hp_memristor.report import write_report

    manifests = {drive: read_manifest(results.decks(drive)) for drive in DRIVES}
    opinions = {}
    for drive in DRIVES:
        stored = results.second_opinion(drive) / SECOND_OPINION_NAME
        if stored.is_file():
            opinions[drive] = json.loads(stored.read_text())
    rows = compare_drives(results, manifests, opinions)
    print(f"report: {write_report(results, manifests, rows, opinions)}")
