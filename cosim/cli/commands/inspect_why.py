"""`cosim inspect --why`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from circuits.board.origin import Origin
from cosim.console import Console
from cosim.folder.element_origin import element_origins
from cosim.folder.manifest import read_manifest

MOST = 12  # cells in the table; the others are one row


def run(target: Path, element: str) -> None:
    """Print the cells that an element of a folder's reduced arrays is the sum of, and the sum beside the deck's number."""
    console = Console()
    for origin, number in element_origins(read_manifest(target), element):
        console.say(f"{origin.layer}.{origin.element}: {origin.meaning}")
        if origin.shares:
            console.table(_cells(origin), f"cells [{origin.unit}]")
        if np.isfinite(origin.deck):
            console.say(f"sum {origin.total:.9g} {origin.unit}" + (f"; {origin.remark}" if origin.remark else "")
                        + f": {origin.deck:.9g}; in the deck: {number:.9g}")


def _cells(origin: Origin) -> pd.DataFrame:
    shares = sorted(origin.shares, key=lambda share: -max(abs(share.value), abs(share.ideal)))
    rows = [{"array": share.tile, "cell": f"g_{share.row}_{share.column}", "programmed [uS]": f"{1e6 * share.programmed:.4f}",
             **_figures(share.ideal, share.value)} for share in shares[:MOST]]
    rest = shares[MOST:]
    for name, group in ((f"{len(rest)} more cells", rest), ("all", shares)):
        if group:
            rows.append({"array": name, "cell": "", "programmed [uS]": "",
                         **_figures(sum(share.ideal for share in group), sum(share.value for share in group))})
    return pd.DataFrame(rows)


def _figures(ideal: float, value: float) -> dict[str, str]:
    return {"without wires": f"{ideal:.6g}", "the wires' share": f"{value - ideal:.3g}", "together": f"{value:.9g}"}
