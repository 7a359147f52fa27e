"""The page of a comparison: error table, clamp hits, sections, and where everything came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from cosim.comparison.comparison import Comparison
from cosim.comparison.gate import Gate
from cosim.comparison.metrics import FLOOR
from cosim.comparison.stored_runs import StoredRun
from cosim.report.page import Section, write_page
from cosim.store.files import write_atomically

PACKAGES = ("cosim", "PySpice", "numpy", "scipy", "torch", "torchdiffeq", "dtw-python")


def write_comparison_page(page: Path, comparison: Comparison, sections: Sequence[Section], gate: Gate | None = None,
                          figures: Path | None = None) -> Path:
    """Write the page, everything inside.

    Args:
        gate: whose verdict is shown; None: none.
        figures: folder in which each picture is kept as PNG too; None: they are in the page alone.
    Raises:
        ResultsError: it cannot be written.
    """
    if figures is not None:
        for section in sections:
            for number, figure in enumerate(section.figures, start=1):
                name = re.sub(r"[^a-z0-9]+", "_", section.title.lower()).strip("_")
                write_atomically(figures / f"{name}_{number}.png", figure.png)
    table = comparison.table()
    return write_page(page, "comparison.html", {
        "title": comparison.subject,
        "columns": list(table.columns),
        "rows": table.to_numpy().tolist(),
        "floor": f"{FLOOR:.0%}",
        "hits": comparison.clamp_hits,
        "missing": comparison.missing,
        "gate": gate.summary if gate else "",
        "violations": gate.violations(comparison) if gate else [],
        "sections": sections,
        "origin": list(_origin(comparison)),
    })


def page_inputs(runs: Sequence[StoredRun], missing: Sequence[str]) -> Iterator[str | bytes]:
    """All that the page shows: boards, weights, waveforms, and the versions of what draws it."""
    for folder in dict.fromkeys(run.compiled.folder for run in runs):
        compiled = next(run.compiled for run in runs if run.compiled.folder == folder)
        yield compiled.manifest.text
        yield compiled.network.identity
        for path in sorted((folder / "conductances").glob("*.inc")):
            yield path.read_bytes()
    for run in runs:
        yield from (run.label, run.engine, run.path.read_bytes())
    yield from missing
    yield from (f"{name} {version(name)}" for name in PACKAGES)


def _origin(comparison: Comparison) -> Iterator[tuple[str, str]]:
    boards = {case.run.board: case.run.compiled for case in comparison.cases}
    for board, compiled in boards.items():
        name, manifest = f", {board}" if board else "", compiled.manifest
        yield f"weights{name}", manifest.weights_sha256
        if manifest.call_sha256:
            yield f"the author's own computation{name}", manifest.call_sha256
        yield f"decks{name}", str(compiled.folder)
        yield f"compiled with{name}", ", ".join(f"{package} {number}" for package, number in manifest.versions.items())
    engines: dict[str, list[str]] = {}
    for case in comparison.cases:
        engines.setdefault(case.run.engine, []).append(case.label)
    for engine, labels in engines.items():
        yield "simulated by", engine if len(engines) == 1 else f"{engine}: {', '.join(labels)}"
    yield "compared with", ", ".join(f"{name} {version(name)}" for name in PACKAGES)
