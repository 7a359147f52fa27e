"""The table of the HP study that is printed and shown in the report, as text cells."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cosim.store.files import read_frame
from cosim.studies.hp_memristor.results import HPResults, waveforms_name


def table(rows: Sequence[dict], results: HPResults) -> pd.DataFrame:
    """One row per case.

    Args:
        rows: of metrics.json.
    """
    return pd.DataFrame([_cells(row, results) for row in rows])


def _cells(row: dict, results: HPResults) -> dict[str, str]:
    frame = read_frame(results.waveforms(waveforms_name(row["drive"], row["stimulus"])))
    full_scale = frame["reference"].abs().max()
    return {
        "drive": row["drive"],
        "stimulus": row["stimulus"],
        "circuit MRE": f"{row['circuit_error']['mre']:.3%}",
        "circuit max / full scale": f"{row['circuit_error']['max'] / full_scale:.3%}",
        "model MRE": f"{row['model_error']['mre']:.3%}",
        "total MRE": f"{row['total_error']['mre']:.3%}",
        "total DTW / step": f"{row['total_error']['dtw_per_step']:.2e}",
        "ResNet MRE": f"{row['resnet_error']['mre']:.3%}",
    }
