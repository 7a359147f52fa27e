"""`cosim compare`."""

from __future__ import annotations

from pathlib import Path

from cosim.comparison.comparison import compare
from cosim.comparison.gate import Gate, parse_limit
from cosim.console import Console


def run(folder: Path, *, waveforms: Path | None, max_mre: str | None, max_error: str | None, allow_clamp_hits: bool,
        json: Path | None, why: bool = False) -> None:
    """Print the circuit error of every case whose waveforms are there, and why; an error when a limit is exceeded."""
    gate = Gate(max_mre=None if max_mre is None else parse_limit(max_mre),
                max_error=None if max_error is None else parse_limit(max_error), allow_clamp_hits=allow_clamp_hits)
    comparison = compare(folder, waveforms)
    Console().table(comparison.table(), f"{comparison.subject}: circuit against torch, model units")
    for line in comparison.clamp_hits:
        print(f"left its linear range: {line}")
    if comparison.missing:
        print(f"not simulated, so not compared: {', '.join(comparison.missing)}")
    for line in comparison.parted:
        print(line)
    if why:
        print(comparison.why.text)
    elif comparison.worth_asking:
        print(f"what errs and what to change: cosim compare {folder} --why")
    if json is not None:
        gate.write(json, comparison, why=comparison.why if why else None)
        print(f"rows: {json}")
    gate.check(comparison)
