"""The verdict: a run is good only if everything that can be checked holds."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from circuits.engine.door.request import Request
from circuits.engine.job import Job
from circuits.engine.log import find_complaint, tail
from circuits.engine.measures import kind_of
from circuits.engine.plots import named_plots
from circuits.engine.process import Finished
from circuits.engine.rawfile import read_raw
from circuits.engine.waveforms import Waveforms
from circuits.errors import LOG_TAIL, FailureKind, RawFileError, SimulationError

INVENTED = 1e30  # log(0) is clipped to 1e99 and 1/0 to 1e32: no circuit holds such a value
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGSYS})
_MEND = {
    FailureKind.MEMORY: "raise Job.memory_limit, save fewer vectors or run fewer jobs at once",
    FailureKind.DISK_FULL: "free space in TMPDIR or save fewer vectors",
    FailureKind.ENGINE_CRASH: "run the deck alone to see whether it repeats; then report it to ngspice",
    FailureKind.UNSUPPORTED_ANALYSIS: "replace 'klu' by 'sparse' in .options for .noise, .pz and .disto",
    FailureKind.MISSING_MODEL: "define the name, or include the file that does",
    FailureKind.MATH_DOMAIN: "keep the argument inside the function's domain, e.g. log(max(x,1e-30))",
    FailureKind.NO_CONVERGENCE: "smooth the source or device there (no if(), finite edges), give .ic/.nodeset, or "
                                "add pivrel=1e-6 to .options (KLU keeps the pivots it starts with)",
    FailureKind.MISSING_VECTOR: "correct the names in .save",
    FailureKind.PARSE_ERROR: "correct that line of the deck",
    FailureKind.ENGINE_ERROR: "see the log's tail",
}


def judge(job: Job, request: Request, finished: Finished, raw: Path) -> list[Waveforms]:
    """The run's plots, named, all of them believed.

    Raises:
        SimulationError: of the kind that fits, with log tail, last time and partial data.
    """
    problem = stopped(job, finished) or _complained(finished) or _exited(finished)
    if problem is None:
        try:
            plots = named_plots(read_raw(raw), request.runs)
        except RawFileError as bad:
            problem = dict(kind=FailureKind.TRUNCATED, message=str(bad))
        else:
            problem = untrue(job, request, plots)
            if problem is None:
                return list(plots)
    partial = _partial(raw)
    last = float(partial.time[-1]) if partial is not None and partial.scale_name == "time" and len(partial) else None
    given = problem.pop("last_time", None)
    raise SimulationError(**problem, deck=job.deck, partial=partial, last_time=given if last is None else last,
                          log_tail=tail(finished.stdout, finished.stderr, LOG_TAIL))


def untrue(job: Job, request: Request, plots: Sequence[Waveforms]) -> dict | None:
    """What of the answer is not there or cannot be, None for a good one; fields of a SimulationError."""
    return _incomplete(job, request, plots) or _unbelievable(job, plots)


def stopped(job: Job, finished: Finished) -> dict | None:
    """The limit that ended the process, None when none did; fields of a SimulationError."""
    if finished.ended == "timeout":
        return dict(kind=FailureKind.TIMEOUT, message=f"ran for {finished.seconds:.1f} s, the limit is {job.timeout:g} s; "
                    "raise it (--timeout of `cosim simulate`, Job.timeout in Python), or enlarge the time step of .tran")
    if finished.ended == "stopped":
        return dict(kind=FailureKind.KILLED, message="stopped by the caller; run it again")
    if finished.returncode == -signal.SIGXCPU:
        return dict(kind=FailureKind.TIMEOUT, message=f"used its {job.cpu_limit} s of processor time; raise Job.cpu_limit")
    if finished.returncode == -signal.SIGXFSZ:
        return dict(kind=FailureKind.DISK_FULL, message=f"the raw file reached Job.file_limit = {job.file_limit} bytes; "
                    "save fewer vectors, enlarge the time step or raise the limit")
    return None


def _complained(finished: Finished) -> dict | None:
    complaint = find_complaint(finished.stdout, finished.stderr)
    if complaint is None:
        return None
    kind = complaint.kind
    if kind is FailureKind.SINGULAR:
        node = complaint.node or "(not named)"
        mend = (f"break the loop of voltage sources or inductors through {node.removesuffix('#branch')}"
                if node.endswith("#branch") else f"give node {node} a direct-current path to ground, which is node 0")
        message = f"singular matrix at {node}; {mend}"
    else:
        message = f"{complaint.line}; {_MEND[kind]}"
    return dict(kind=kind, message=message, node=complaint.node, analysis=complaint.analysis, last_time=complaint.time)


def _exited(finished: Finished) -> dict | None:
    if finished.returncode > 0:
        return dict(kind=FailureKind.ENGINE_ERROR, message=f"ngspice exited with {finished.returncode} and said nothing; "
                    "run the deck by hand with 'ngspice -b'")
    return signalled(finished, "ngspice")


def signalled(finished: Finished, program: str) -> dict | None:
    """The signal that ended the process from elsewhere, None when none did; fields of a SimulationError."""
    if finished.returncode >= 0:
        return None
    number = signal.Signals(-finished.returncode)
    if number in _CRASHES:
        return dict(kind=FailureKind.ENGINE_CRASH, message=f"{program} died of {number.name}; "
                    "run the deck alone to see whether it repeats; then report it to its authors")
    return dict(kind=FailureKind.KILLED, message=f"{program} was ended by {number.name} from outside, perhaps by the kernel "
                "for want of memory; run fewer jobs at once")


def _incomplete(job: Job, request: Request, plots: Sequence[Waveforms]) -> dict | None:
    sure = [run for run in request.runs if not run.conditional]
    if len(plots) < len(sure) or not plots or any(len(plot) == 0 for plot in plots):
        return dict(kind=FailureKind.TRUNCATED, message=f"{len(sure)} analyses were asked for, "
                    f"{sum(len(plot) > 0 for plot in plots)} plots with points came back; see the log's tail")
    for name in (*job.require, *request.saved):
        if not any(name in plot for plot in plots):
            return dict(kind=FailureKind.MISSING_VECTOR, message=f"vector {name} was asked for and the circuit has none such "
                        f"({'Job.require' if name in job.require else '.save'}); saved are "
                        f"{', '.join(plots[0].names[:12])}; {_mend_name(name)}")
    for plot in plots:
        wanted = job.t_stop if job.t_stop is not None else _stop_of(plot, request)
        if plot.scale_name == "time" and wanted is not None and plot.time[-1] < wanted * (1 - 1e-6):
            return dict(kind=FailureKind.TRUNCATED, message=f"the transient ended at {plot.time[-1]:.6g} s of {wanted:.6g} s "
                        "with exit code 0; see the log's tail")
    return None


def _mend_name(name: str) -> str:
    if part := re.fullmatch(r"i\((\w+)\)", name, re.I):
        return f"correct the name, or write @{part[1].lower()}[i] for the current of a part that is no voltage source"
    return "correct the name"


def _stop_of(plot: Waveforms, request: Request) -> float | None:
    """Stop time [s] that the plot's own .tran names, None where that is no number or the card is not known."""
    runs = [run for run in request.runs if run.kind == "tran" and plot.card in ("", run.card.text)]
    return request.stop_time(runs[0]) if runs and len({run.stop for run in runs}) == 1 else None


def _unbelievable(job: Job, plots: Sequence[Waveforms]) -> dict | None:
    for plot in plots:
        size = np.abs(plot.data)
        most = np.inf if kind_of(plot) == "sens" else INVENTED  # a sensitivity is divided by its parameter, of 1e-16 A or 0
        bad = ~(size < most)  # also catches nan
        if bad.any():
            row, column = np.argwhere(bad)[0]
            return dict(kind=FailureKind.MATH_DOMAIN, message=f"{plot.names[column]} = {plot.data[row, column]:.4g} at "
                        f"{_where(plot, row)}, a value that only log(0), 1/0, an overflow or an infinite source gives; keep "
                        "the expression that drives it inside its domain")
        if job.max_voltage is None:
            continue
        for column, name in enumerate(plot.names):
            if name.startswith("v(") and (over := size[:, column] > job.max_voltage).any():
                row = int(np.argmax(size[:, column]))
                return dict(kind=FailureKind.OUT_OF_RANGE, message=f"{name} = {plot.data[row, column]:.6g} V at "
                            f"{_where(plot, row)}, {int(over.sum())} points exceed Job.max_voltage = {job.max_voltage:g} V; "
                            "look for an unclamped stage, or raise the bound")
    return None


def _where(plot: Waveforms, row: int) -> str:
    return f"{plot.scale_name} = {plot.scale[row]:.6g}"


def _partial(raw: Path) -> Waveforms | None:
    try:
        plots = read_raw(raw, partial=True)
    except RawFileError:  # nothing was written, or not even a header: there is no partial data
        return None
    if not plots or not len(plots[-1]):
        return None
    last = plots[-1]
    return Waveforms(plot=last.plot, title=last.title, names=last.names, data=last.data, partial=True)
