"""Drawing the page of a comparison, unless it is current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cosim.comparison.comparison import Comparison
from cosim.comparison.gate import Gate
from cosim.comparison.stored_runs import StoredRun
from cosim.report.page import Section
from cosim.store.sources import code_key, source_key
from cosim.studies.base.pipeline import Pipeline

Sections = Callable[[Comparison], Sequence[Section]]
DRAWING = ("cosim.studies.base.page", "cosim.studies.base.sections")  # imported only when something is drawn


def ensure_page(pipeline: Pipeline, page: Path, runs: Sequence[StoredRun], compared: Callable[[], Comparison], *,
                missing: Sequence[str] = (), gate: Gate | None = None, sections: Sections | None = None) -> None:
    """Draw the page of simulated cases through the pipeline's report step.

    Args:
        runs: what is on the page.
        compared: their comparison, asked for only when the page is drawn.
        missing: cases that were not simulated.
        gate: of a study, whose verdict is shown and whose pictures are kept in figures/; None: a page alone.
        sections: None: the standard ones.
    Raises:
        ResultsError: the page cannot be written, or a run's deck has changed since.
    """
    from cosim.studies.base.page import page_inputs, write_comparison_page
    from cosim.studies.base.sections import standard_sections

    def draw() -> None:
        comparison = compared()
        write_comparison_page(page, comparison, (sections or standard_sections)(comparison), gate,
                              pipeline.results.figures if gate else None)

    inputs = [*page_inputs(runs, missing), gate.summary if gate else "", source_key(*DRAWING)]
    pipeline.report(page, [*inputs, *([code_key(sections)] if sections else [])], draw)
