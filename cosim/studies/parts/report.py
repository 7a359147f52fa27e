"""The page of the part benches: the table, and the curves behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from circuits.benches.findings import BENCHES, Finding, bench_decks
from circuits.engine.compiled.op_amp import SOURCE
from circuits.engine.result import Result
from cosim.report.page import Figure, Section, write_page
from cosim.report.quantity import percent, quantity
from cosim.store.files import content_key
from cosim.store.sources import source_key
from cosim.studies.parts.device_curves import device_curves
from cosim.studies.parts.op_amp_curves import op_amp_curves
from cosim.studies.parts.switch_curves import switch_curves

DRAWING = ("cosim.studies.parts", "cosim.report")  # rooms that decide how the page looks
_KEY = re.compile(r'<meta name="inputs" content="([0-9a-f]{64})">')


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row per property, cells as text."""
    return pd.DataFrame([_row(finding) for finding in findings])


def _row(finding: Finding) -> dict[str, str]:
    bench = finding.bench
    absolute, note = bench.absolute, {"met": "", "named": ", named", "outside": ", OUTSIDE"}[finding.verdict]
    tolerance = quantity(bench.tolerance, bench.unit) if absolute else f"{100 * bench.tolerance:g} %"
    return {
        "part": bench.part,
        "property": bench.property,
        "condition": bench.condition,
        "datasheet": quantity(bench.figure, bench.unit),
        "model": quantity(finding.model, bench.unit),
        "compiled": "" if finding.compiled is None else quantity(finding.compiled, bench.unit),
        "deviation": quantity(finding.deviation, bench.unit, digits=2, sign="+") if absolute else percent(finding.deviation),
        "tolerance": tolerance + note,
        "source": bench.source,
    }


def page_key(*, compiled: bool = True) -> str:
    """What the page is drawn from: decks, parts, figures, and the code that draws it. A page with this key is current.

    The model's figures are not in it: their last digits may differ between machines, and they follow from the rest.

    Args:
        compiled: the page shows the compiled op-amp too.
    """
    files = {name: text for deck in bench_decks() for name, text in deck.files().items()}
    figures = findings_table([Finding(bench=bench, model=bench.figure) for bench in BENCHES]).to_csv()
    device = SOURCE.read_text(encoding="utf-8") if compiled else ""
    return content_key([*(part for item in sorted(files.items()) for part in item), figures, device,
                        source_key("cosim.studies.parts.report", within=DRAWING)])


def shows_compiled(findings: Sequence[Finding]) -> bool:
    """Whether the compiled op-amp was measured."""
    return any(finding.compiled is not None for finding in findings)


def key_of(page: Path) -> str | None:
    """The key that stands in a page, None where there is no page or no key."""
    key = _KEY.search(page.read_text()) if page.is_file() else None
    return key[1] if key else None


def write_parts_page(page: Path, findings: Sequence[Finding], results: Mapping[str, Result], figures: Path) -> Path:
    """Figures as PNG in ``figures``, and the page with all of them inside."""
    curves = {
        "op_amp": (op_amp_curves, "OPA4990: open-loop gain and phase against load capacitance, slewing, input noise."),
        "switch": (switch_curves, "TMUX1134: on-resistance, logic thresholds, break-before-make (50 Ω and 35 pF at d)."),
        "devices": (device_curves, "1N4148 sets A and B, 180 nm select transistor (drain at 20 mV), memristor in read mode."),
    }
    drawn = [Figure.drawn(draw(results), caption, figures / f"{name}.png") for name, (draw, caption) in curves.items()]
    table = findings_table(findings)
    return write_page(page, "parts.html", {
        "key": page_key(compiled=shows_compiled(findings)),
        "columns": list(table.columns),
        "rows": [(finding.verdict, row) for finding, row in zip(findings, table.to_numpy().tolist(), strict=True)],
        "counts": {verdict: sum(f.verdict == verdict for f in findings) for verdict in ("met", "named", "outside")},
        "named": list(dict.fromkeys((f.bench.part, f.bench.named) for f in findings if f.verdict == "named")),
        "sections": [Section(title="Curves", figures=drawn)],
    })
