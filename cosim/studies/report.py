"""The report of any folder that was compiled and simulated; a study's results get the study's own."""

from __future__ import annotations

import json
from pathlib import Path

from cosim.comparison.comparison import Comparison, compare_runs
from cosim.comparison.gate import Gate
from cosim.comparison.stored_runs import stored_runs
from cosim.console import Console
from cosim.errors import CosimError, ResultsError
from cosim.folder.compiled import CompiledNetwork
from cosim.front_door import compare
from cosim.simulation.simulated import Simulation
from cosim.studies.base.drawing import ensure_page
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
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
    pipeline = Pipeline(results=Results(root=folder), console=console, force=force)
    ensure_page(pipeline, page, runs, lambda: compare_runs(runs, missing), missing=missing, gate=_gate(pipeline.results))
    return page


def report_comparison(comparison: Comparison, page: Path, *, force: bool = False, console: Console | None = None) -> Path:
    """The same page of a comparison that is at hand."""
    pipeline = Pipeline(results=Results(root=page.parent), console=console or Console(), force=force)
    ensure_page(pipeline, page, [case.run for case in comparison.cases], lambda: comparison, missing=comparison.missing)
    return page


def _gate(results: Results) -> Gate | None:
    """The limits of a :class:`cosim.studies.base.study.Study` whose results these are; None: they are no study's."""
    if not results.metrics.is_file():
        return None
    try:
        return Gate(**json.loads(results.metrics.read_text())["limits"])
    except (ValueError, LookupError, TypeError) as error:
        raise ResultsError(f"{results.metrics} is damaged ({type(error).__name__}: {error}); delete it, or run the study "
                           "again") from error
