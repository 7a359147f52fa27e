"""Results of a deck on disk: the chosen plot, all plots where there are several, and ngspice's raw file on demand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from circuits.engine.result import Result
from circuits.engine.waveforms import Waveforms
from cosim.errors import ResultsError
from cosim.simulation.run import Run
from cosim.simulation.tables import plot_table
from cosim.store.files import is_current, is_text_current, read_frame, write_frame, write_text_key

FIRST = ("tran", "ac", "dc", "noise", "sp", "disto", "pss")  # which plot is the chosen one where nobody said


def store_result(run: Run, result: Result, key: str, *, keep_raw: bool = False) -> None:
    """Write every plot; the chosen one last, so that an interrupted write leaves no result that counts as current.

    Its ``attrs``: key, measures, failed_measures, plot, plots (names, the chosen one too), units, warnings, notes,
    distortion. The others hold key, plot, card and units.

    Raises:
        ResultsError: the deck has no plot of the name that was asked for, or a file cannot be written.
    """
    chosen = choose(result.plots, run)
    names = [plot.name for plot in result.plots]
    if run.plots.is_symlink():
        raise ResultsError(f"{run.plots} is a link, and files behind it would be overwritten; remove it or name another folder")
    if run.plots.is_dir():
        for left in run.plots.glob("*.parquet"):
            left.unlink()
        if len(names) <= 1 and not any(run.plots.iterdir()):
            run.plots.rmdir()
    if len(names) > 1:
        for plot in result.plots:
            frame, units = plot_table(plot)
            write_frame(run.plots / f"{plot.name}.parquet", frame, key, plot=plot.name, card=plot.card, units=units)
    raw_key = run.raw.with_name(f".{run.raw.name}.key")
    if keep_raw:
        partial_path(run.raw).replace(run.raw)
        write_text_key(run.raw, key)
    elif raw_key.is_file():  # ours, of an earlier state of the deck
        run.raw.unlink(missing_ok=True)
        raw_key.unlink()
    frame, units = plot_table(chosen)
    facts = {"warnings": list(result.warnings), "notes": list(result.notes), "distortion": dict(result.distortion)}
    write_frame(run.vectors, frame, key, measures=dict(result.measures), failed_measures=dict(result.failed_measures),
                plot=chosen.name, plots=names, units=units, **{name: fact for name, fact in facts.items() if fact})


def choose(plots: Sequence[Waveforms], run: Run) -> Waveforms:
    """The plot that the run asks for, else the first transient, else the first of what ``FIRST`` names.

    Raises:
        ResultsError: no plot of that name; lists those there are.
    """
    if run.plot is not None:
        for plot in plots:
            if plot.name == run.plot:
                return plot
        raise ResultsError(f"{run.deck} has no plot {run.plot!r}; it has {', '.join(plot.name for plot in plots)}")
    return min(plots, key=lambda plot: (rank(plot.name), plot.name))


def rank(name: str) -> int:
    """Place of a plot's kind in ``FIRST``."""
    return next((number for number, kind in enumerate(FIRST) if name.startswith(kind)), len(FIRST))


def is_stored(run: Run, key: str, keep_raw: bool) -> bool:
    """True when the result is there, of this key, with every plot, and the raw file where it is wanted. Another choice of
    the plot is then only copied.

    Raises:
        ResultsError: the deck has no plot of the name that was asked for.
    """
    if not is_current(run.vectors, key) or (keep_raw and not is_text_current(run.raw, key)):
        return False
    attrs = read_frame(run.vectors).attrs
    names = attrs.get("plots", [])
    if run.plot is not None and not names:  # of an earlier version
        return False
    if len(names) > 1 and not all(is_current(run.plots / f"{name}.parquet", key) for name in names):
        return False
    chosen = run.plot or (min(names, key=lambda name: (rank(name), name)) if names else None)
    if run.plot is not None and run.plot not in names:
        raise ResultsError(f"{run.deck} has no plot {run.plot!r}; it has {', '.join(names)}")
    if len(names) > 1 and chosen != attrs.get("plot"):
        frame = read_frame(run.plots / f"{chosen}.parquet")
        write_frame(run.vectors, frame, **{**attrs, "plot": chosen, "units": frame.attrs["units"]})
    return True


def partial_path(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(f".{path.name}.partial")
