"""`cosim report`."""

from __future__ import annotations

from pathlib import Path

from cosim.console import Console
from cosim.studies.report import report_folder


def run(folder: Path, *, waveforms: Path | None, out: Path | None, force: bool) -> None:
    """Compare what was simulated, draw the page unless it is current, print its path."""
    print(f"report: {report_folder(folder, out, waveforms=waveforms, force=force, console=Console())}")
