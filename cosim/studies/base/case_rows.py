"""The comparison of a case as it is stored: its waveforms, and its errors per state."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from circuits.board import nets
from cosim.comparison.case_comparison import CaseComparison, StateError, compare_run

if TYPE_CHECKING:
    from cosim.comparison.stored_runs import StoredRun


def case_rows(run: StoredRun) -> tuple[pd.DataFrame, list[dict]]:
    """Waveforms on the grid of a case, and its row.

    Returns:
        Columns time [model s], u0, u1, ... and truth_k (where known), fitted_k (of a fitted network), reference_k (torch),
        twin_k (circuit) per state, model units; one row with the case, the errors of each state
        (:class:`cosim.comparison.case_comparison.StateError`) and the clamp hits.
    """
    case = compare_run(run)
    problem = run.compiled.cases[run.case]
    inputs = {nets.external_column(k): values for k, values in enumerate(problem.inputs(case.times).T)}
    states = {f"{name}_{k}": values for name, curve in case.curves.items() for k, values in enumerate(curve.T)}
    return pd.DataFrame({"time": case.times} | inputs | states), [
        {"case": run.case, "errors": [asdict(error) for error in case.errors], "clamp_hits": case.clamp_hits}]


def stored_comparison(run: StoredRun, frame: pd.DataFrame, row: dict) -> CaseComparison:
    """The comparison that :func:`case_rows` stored."""
    n_states = len(row["errors"])
    curves = {name: frame[[f"{name}_{k}" for k in range(n_states)]].to_numpy() for name in ("reference", "twin", "fitted")
              if f"{name}_0" in frame}
    return CaseComparison(run=run, **curves, truth=run.compiled.truth(run.case),
                          clamp_hits=row["clamp_hits"],
                          errors=tuple(StateError(**error) for error in row["errors"]))
