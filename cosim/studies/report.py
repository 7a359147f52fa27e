"""The report of any folder that was compiled and simulated; a study's results get the study's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cosim.comparison.comparison import Comparison, compare_runs
from cosim.comparison.stored_runs import StoredRun, stored_runs
from cosim.console import Console
from cosim.errors import CosimError, ResultsError
from cosim.folder.compiled import CompiledNetwork
from cosim.front_door import compare
from cosim.simulation.simulated import Simulation
from cosim.store.sources import source_key
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.base.study import DRAWING
from cosim.studies.hp_memristor.results import HPResults
from cosim.studies.hp_memristor.study import report_again as report_hp
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.study import report_again as report_lorenz96

PAGE = "report.html"
STUDIES = ((HPResults, report_hp), (Lorenz96Results, report_lorenz96))


def write_report(target: Comparison | Simulation | CompiledNetwork | str | Path, out: str | Path | None = None, *,
                 waveforms: str | Path | None = None, force: bool = False) -> Path:
    """Write a page of what was simulated, pictures inside: errors, waveforms, neurons, conductances, what was compiled.

    Args:
        target: what :func:`cosim.compare` or :func:`cosim.simulate` gave; or a compiled network, its folder, or a results
            folder.
        out: the page; None: report.html in the folder. A comparison of several boards needs one.
        waveforms: folder of the waveforms of a compiled network or folder; None: where they were put.
        force: draw even where the page is current.
    Returns:
        The page.
    Raises:
        ResultsError: nothing to report there, or a page that cannot be written.
    """
    page, console = None if out is None else Path(out), Console(quiet=True)
    if isinstance(target, Simulation):
        target = compare(target)
    if isinstance(target, Comparison):
        folders = list(dict.fromkeys(case.run.compiled.folder for case in target.cases))
        if waveforms is not None:
            raise CosimError("a comparison knows its own waveforms; leave waveforms out, or give the compiled folder")
        if page is None and len(folders) > 1:
            raise CosimError(f"the comparison is of {len(folders)} boards; say with out where the page goes")
        return report_comparison(target, page or folders[0] / PAGE, force=force, console=console)
    folder = target.folder if isinstance(target, CompiledNetwork) else Path(target)
    return report_folder(folder, page, waveforms=None if waveforms is None else Path(waveforms), force=force, console=console)


def report_folder(folder: Path, page: Path | None = None, *, waveforms: Path | None = None, force: bool = False,
                  console: Console | None = None) -> Path:
    """Compare what was simulated and draw the page, unless it is current.

    Args:
        folder: a compiled folder, or a results folder.
        page: None: report.html in the folder.
        waveforms: folder of a compiled folder's waveforms; None: where our commands put them.
        force: draw even where the page is current.
    Returns:
        The page.
    Raises:
        ResultsError: nothing to report there, waveforms of other decks, or a page that cannot be written.
    """
    if not folder.is_dir():
        raise ResultsError(f"{folder} does not exist; name a folder made by `cosim compile`, or the results folder of a study "
                           "(`make hp-memristor` makes runs/hp_memristor)")
    console = console or Console()
    page = page or folder / PAGE
    for kind, report_again in STUDIES:
        results = kind(root=folder)
        if results.is_there:
            if waveforms is not None:
                raise ResultsError(f"{folder} holds the results of a study, waveforms among them; leave --waveforms out, or "
                                   "name one of the compiled folders below it")
            report_again(Pipeline(results=results, console=console, force=force), page)
            return page
    runs, missing = stored_runs(folder, waveforms)
    return _report(runs, missing, None, page, Pipeline(results=Results(root=folder), console=console, force=force))


def report_comparison(comparison: Comparison, page: Path, *, force: bool = False, console: Console | None = None) -> Path:
    """The same page of a comparison that is at hand."""
    pipeline = Pipeline(results=Results(root=page.parent), console=console or Console(), force=force)
    return _report([case.run for case in comparison.cases], comparison.missing, comparison, page, pipeline)


def _report(runs: Sequence[StoredRun], missing: Sequence[str], comparison: Comparison | None, page: Path,
            pipeline: Pipeline) -> Path:
    from cosim.studies.base.page import page_inputs, write_comparison_page
    from cosim.studies.base.sections import standard_sections

    def draw() -> None:
        compared = comparison or compare_runs(runs, missing)
        write_comparison_page(page, compared, standard_sections(compared))

    pipeline.report(page, [*page_inputs(runs, missing), source_key(*DRAWING)], draw)
    return page
