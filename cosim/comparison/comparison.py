"""A board against torch: the errors of every case and state as numbers, and whether they stay within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from circuits.board import nets
from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits, hit_lines
from cosim.comparison.metrics import mean_relative_error, waveform_error
from cosim.comparison.stored_runs import StoredRun, stored_runs
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states

if TYPE_CHECKING:
    import xarray

FIGURES = ("mre", "max_error", "full_scale", "l1", "rmse", "max", "dtw", "dtw_per_step")
AGAINST_TRUTH = tuple(f"{kind}_{figure}" for kind in ("model", "total") for figure in ("mre", "max_error", "l1", "rmse", "max"))


@dataclass(frozen=True, kw_only=True)
class StateError:
    """How far a state of the board is from torch in one case; None where torch rests at 0, so that no part has a meaning.

    Where the truth is known there is also how far torch is from it (the model error), and how far the board is from it (the
    total error). Their parts of full scale are parts of the truth's.
    """

    mre: float | None  # mean relative error, dimensionless; see cosim.comparison.metrics.WaveformError
    max_error: float | None  # largest error, part of full scale
    full_scale: float  # model units, largest magnitude in torch
    l1: float  # model units, mean absolute error
    rmse: float  # model units
    max: float  # model units, largest error
    dtw: float | None  # model units, dynamic time warping distance
    dtw_per_step: float | None  # model units
    model_mre: float | None = None  # torch against the truth; None: the truth is not known, or rests at 0
    model_max_error: float | None = None
    model_l1: float | None = None  # model units, as the two after it; None: the truth is not known
    model_rmse: float | None = None
    model_max: float | None = None
    total_mre: float | None = None  # the board against the truth
    total_max_error: float | None = None
    total_l1: float | None = None
    total_rmse: float | None = None
    total_max: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseComparison:
    """One case: waveforms on its grid, errors, and the lines that left their linear range."""

    run: StoredRun
    reference: np.ndarray  # (samples, n_states) model units, torch
    twin: np.ndarray  # (samples, n_states) model units, the circuit
    errors: tuple[StateError, ...]  # one per state
    clamp_hits: dict[str, dict[str, float]]  # see cosim.comparison.clamp_hits
    truth: np.ndarray | None = None  # (samples, n_states) model units, what the system really does; None: not known

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """What there is to draw: truth (where it is known), reference and twin, (samples, n_states) model units each."""
        known = {} if self.truth is None else {"truth": self.truth}
        return known | {"reference": self.reference, "twin": self.twin}

    @property
    def label(self) -> str:
        return self.run.label

    @property
    def times(self) -> np.ndarray:
        """(samples,) model seconds."""
        return self.run.compiled.cases[self.run.case].times


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Circuit against torch for every case that was simulated; see :func:`compare`."""

    cases: tuple[CaseComparison, ...]
    missing: tuple[str, ...] = ()  # cases that were compiled and not simulated

    @property
    def subject(self) -> str:
        return ", ".join(dict.fromkeys(case.run.compiled.subject for case in self.cases))

    @property
    def clamp_hits(self) -> list[str]:
        """Lines that left their linear range, in words, the first of each case first."""
        return [line for case in self.cases for line in hit_lines(case.label, case.run.waveforms)]

    def to_frame(self) -> pd.DataFrame:
        """One row per case and state: board (where there are several), case, state, the figures of :class:`StateError`,
        and clamp_hits, how many lines of the case left their linear range. Figures against the truth are there where the
        truth of any case is known."""
        rows = []
        for case in self.cases:
            place = {"board": case.run.board} if any(other.run.board for other in self.cases) else {}
            rows += [place | {"case": case.run.case, "state": nets.state_column(k), **asdict(error),
                              "clamp_hits": len(case.clamp_hits)} for k, error in enumerate(case.errors)]
        frame = pd.DataFrame(rows)
        if not self.knows_truth:
            frame = frame.drop(columns=list(AGAINST_TRUTH))
        return frame.astype({name: float for name in (*FIGURES, *AGAINST_TRUTH) if name in frame})

    @property
    def knows_truth(self) -> bool:
        """Whether the truth of any case is known."""
        return any(case.truth is not None for case in self.cases)

    def to_xarray(self) -> xarray.DataTree:
        """A dataset per case: inputs, reference, twin, error and where it is known truth (time, state or input), model units
        and model seconds."""
        import xarray

        datasets = {}
        for case in self.cases:
            problem = case.run.compiled.cases[case.run.case]
            coordinates = {"time": ("time", case.times, {"units": "model s"}),
                           "state": [nets.state_column(k) for k in range(case.twin.shape[1])],
                           "input": [nets.external_column(k) for k in range(len(problem.stimuli))]}
            units = {"units": "model units"}
            datasets[case.label.replace("/", " ")] = xarray.Dataset({
                "inputs": (("time", "input"), problem.inputs(case.times), units),
                **{name: (("time", "state"), curve, units) for name, curve in case.curves.items()},
                "error": (("time", "state"), case.twin - case.reference, units)}, coords=coordinates)
        return xarray.DataTree.from_dict(datasets)

    def plot(self):
        """Torch and circuit of every case with their difference, and the truth where it is known, a matplotlib figure."""
        from cosim.report.state_curves import state_curves

        return state_curves({case.label: (case.times, case.curves) for case in self.cases})

    def table(self) -> pd.DataFrame:
        """The same rows as :meth:`to_frame`, figures as text for a reader."""
        frame = self.to_frame()
        return pd.DataFrame({
            **({"board": frame["board"]} if "board" in frame else {}),
            "stimulus": frame["case"], "state": frame["state"],
            "MRE": [_percent(value) for value in frame["mre"]],
            "max / full scale": [_percent(value) for value in frame["max_error"]],
            "L1": [f"{value:.3e}" for value in frame["l1"]], "RMSE": [f"{value:.3e}" for value in frame["rmse"]],
            "DTW": ["" if np.isnan(value) else f"{value:.4g}" for value in frame["dtw"]],
            "DTW / step": ["" if np.isnan(value) else f"{value:.3e}" for value in frame["dtw_per_step"]],
            **(self._truth_columns(frame) if self.knows_truth else {})})

    @staticmethod
    def _truth_columns(frame: pd.DataFrame) -> dict[str, list[str]]:
        def percents(name: str) -> list[str]:
            unknown = frame["model_l1"].isna()
            return ["" if missing else _percent(value, of="truth") for missing, value in zip(unknown, frame[name], strict=True)]

        return {"model MRE": percents("model_mre"), "model max": percents("model_max_error"),
                "total MRE": percents("total_mre"), "total max": percents("total_max_error")}

    def __repr__(self) -> str:
        return f"<Comparison of {self.subject!r}: circuit against torch>\n{self.table().to_string(index=False)}"

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>left its linear range: {escape(line)}</p>" for line in self.clamp_hits)
        notes += "".join(f"<p>not simulated: {escape(label)}</p>" for label in self.missing)
        return (f"<p><b>{escape(self.subject)}</b>: circuit against torch, model units</p>"
                f"{self.table().to_html(index=False, border=0)}{notes}")


def compare(target: str | Path, waveforms: str | Path | None = None) -> Comparison:
    """Compare simulated waveforms with the torch network that their decks were compiled from.

    Args:
        target: a compiled folder, or a results folder that one of our commands made.
        waveforms: folder of a compiled folder's waveforms; None: where our commands put them.
    Raises:
        ResultsError: nothing to compare there, waveforms of other decks, or weights that are not those of the decks.
    """
    runs, missing = stored_runs(Path(target), None if waveforms is None else Path(waveforms))
    return compare_runs(runs, missing)


def compare_runs(runs: Sequence[StoredRun], missing: Sequence[str] = ()) -> Comparison:
    """The same of runs that are at hand."""
    return Comparison(cases=tuple(_compare(run) for run in runs), missing=tuple(missing))


def _compare(run: StoredRun) -> CaseComparison:
    case = run.compiled.cases[run.case]
    expected = reference(run.compiled.network, case)
    got = twin_states(run.waveforms, run.compiled.manifest, case)
    truth = run.compiled.truth(run.case)
    errors = tuple(state_error(expected[:, k], got[:, k], None if truth is None else truth[:, k])
                   for k in range(expected.shape[1]))
    return CaseComparison(run=run, reference=expected, twin=got, errors=errors, truth=truth,
                          clamp_hits=clamp_hits(run.waveforms, CLAMP_ONSET))


def state_error(expected: np.ndarray, got: np.ndarray, truth: np.ndarray | None = None) -> StateError:
    """Errors of one state; (samples,) model units each.

    Args:
        expected: torch.
        got: the circuit.
        truth: what the system really does; None: not known.
    """
    if truth is not None:
        figures = {f"{kind}_{name}": value for kind, curve in (("model", expected), ("total", got))
                   for name, value in _against_truth(truth, curve).items()}
        return replace(state_error(expected, got), **figures)
    full_scale = float(np.abs(expected).max())
    if full_scale == 0:
        off = np.abs(got)
        return StateError(mre=None, max_error=None, full_scale=0.0, l1=float(off.mean()), max=float(off.max()),
                          rmse=float(np.sqrt(np.mean(off**2))), dtw=None, dtw_per_step=None)
    error = waveform_error(expected, got)
    return StateError(mre=error.mre, max_error=error.max / full_scale, full_scale=full_scale, l1=error.l1, rmse=error.rmse,
                      max=error.max, dtw=error.dtw, dtw_per_step=error.dtw_per_step)


def _against_truth(truth: np.ndarray, curve: np.ndarray) -> dict[str, float | None]:
    """Figures of a StateError that are told of the model and of the total error; None where the truth rests at 0."""
    error, full_scale = np.abs(curve - truth), float(np.abs(truth).max())
    return {"mre": mean_relative_error(truth, curve) if full_scale else None,
            "max_error": float(error.max()) / full_scale if full_scale else None,
            "l1": float(error.mean()), "rmse": float(np.sqrt(np.mean(error**2))), "max": float(error.max())}


def _percent(value: float, of: str = "torch") -> str:
    return f"{of} is 0" if np.isnan(value) else f"{value:.4%}"
