"""The section of a report that says why a board differs from torch, where it differs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from circuits.errors import CircuitError
from cosim.comparison.case_comparison import CaseComparison
from cosim.comparison.comparison import WORTH_ASKING, Comparison
from cosim.diagnosis.case_diagnosis import diagnose_case
from cosim.diagnosis.words import sentences
from cosim.errors import CosimError
from cosim.report.page import Section, Table
from training.errors import TrainingError

MOST_CASES = 3  # that are diagnosed, seconds each; `cosim compare --why` does all


def why_section(comparison: Comparison) -> list[Section]:
    """One section with a table a case, of the cases with the largest errors; none where every error is small."""
    asked = sorted((case for case in comparison.cases if _largest(case) > WORTH_ASKING), key=_largest, reverse=True)
    if not asked:
        return []
    more = f" Of {len(asked)} such cases the {MOST_CASES} with the largest errors; `cosim compare FOLDER --why` tells all." \
        if len(asked) > MOST_CASES else ""
    tables = [Table(frame=pd.DataFrame({case.label: list(_sentences(case))})) for case in asked[:MOST_CASES]]
    return [Section(title="Why the board differs from torch", tables=tables,
                    note=f"Of cases whose error passes {WORTH_ASKING:.1%} of full scale.{more}")]


def _sentences(case: CaseComparison) -> Iterator[str]:
    try:
        yield from sentences(diagnose_case(case.run.compiled, case.run.case, case.run.waveforms, case.label))
    except (CosimError, CircuitError, TrainingError) as error:  # the page is still worth having
        yield f"It cannot be told: {error}"


def _largest(case: CaseComparison) -> float:
    return max((error.max_error for error in case.errors if error.max_error is not None), default=0.0)
