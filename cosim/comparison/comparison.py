"""A board against torch: the errors of every case and state as numbers, and whether they stay within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from circuits.board import nets
from cosim.comparison.case_comparison import AGAINST_TRUTH, OF_FITTED, CaseComparison, compare_run
from cosim.comparison.clamp_hits import hit_lines
from cosim.comparison.stored_runs import StoredRun, stored_runs
from cosim.diagnosis.horizon import LIMIT, horizon

if TYPE_CHECKING:
    import xarray

    from cosim.diagnosis.diagnosis import Diagnosis

WORTH_ASKING = 0.005  # of full scale, a largest error beyond which a report says why
FIGURES = ("mre", "max_error", "full_scale", "l1", "rmse", "max", "dtw", "dtw_per_step")


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

    @property
    def parted(self) -> list[str]:
        """When each case first passes 2 % of full scale, in words; of cases that stay within it nothing is said."""
        return [line for case in self.cases if (line := _parted(case))]

    @property
    def worth_asking(self) -> bool:
        """Whether any error is so large that one should ask why."""
        errors = [error.max_error for case in self.cases for error in case.errors]
        return any(error is not None and error > WORTH_ASKING for error in errors)

    @cached_property
    def why(self) -> Diagnosis:
        """Why the board differs from torch: print it, or take its frames. Seconds a case; worked out once."""
        return self.diagnose()

    def diagnose(self) -> Diagnosis:
        """How long every case is valid, whether its system amplifies, what errs on its board, and what to change.

        Raises:
            ResultsError: a waveform with too few points or with values that are not finite, or a folder that is damaged.
            circuits.errors.CircuitError: a state line was not saved, or a conductance file is missing.
        """
        from cosim.diagnosis.case_diagnosis import diagnose_case
        from cosim.diagnosis.diagnosis import Diagnosis

        return Diagnosis(cases=tuple(diagnose_case(case.run.compiled, case.run.case, case.run.waveforms, case.label)
                                     for case in self.cases))

    def to_frame(self) -> pd.DataFrame:
        """One row per case and state: board (where there are several), case, state, the figures of :class:`StateError`,
        and clamp_hits, how many lines of the case left their linear range. The shares of fitted networks are there where any
        network was fitted, figures against the truth where the truth of any case is known."""
        rows = []
        for case in self.cases:
            place = {"board": case.run.board} if any(other.run.board for other in self.cases) else {}
            rows += [place | {"case": case.run.case, "state": nets.state_column(k), **asdict(error),
                              "clamp_hits": len(case.clamp_hits)} for k, error in enumerate(case.errors)]
        frame = pd.DataFrame(rows)
        if not self.has_fitted:
            frame = frame.drop(columns=list(OF_FITTED))
        if not self.knows_truth:
            frame = frame.drop(columns=list(AGAINST_TRUTH))
        return frame.astype({name: float for name in (*FIGURES, *OF_FITTED, *AGAINST_TRUTH) if name in frame})

    @property
    def has_fitted(self) -> bool:
        """Whether any of the networks was fitted."""
        return any(case.fitted is not None for case in self.cases)

    @property
    def knows_truth(self) -> bool:
        """Whether the truth of any case is known."""
        return any(case.truth is not None for case in self.cases)

    def to_xarray(self) -> xarray.DataTree:
        """A dataset per case: inputs, reference, twin, error, of a fitted network fitted, and where it is known truth (time,
        state or input), model units and model seconds."""
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
            **(_shares_columns(frame) if self.has_fitted else {}),
            "max / full scale": [_percent(value) for value in frame["max_error"]],
            "L1": [f"{value:.3e}" for value in frame["l1"]], "RMSE": [f"{value:.3e}" for value in frame["rmse"]],
            "DTW": ["" if np.isnan(value) else f"{value:.4g}" for value in frame["dtw"]],
            "DTW / step": ["" if np.isnan(value) else f"{value:.3e}" for value in frame["dtw_per_step"]],
            **(_truth_columns(frame) if self.knows_truth else {})})

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
    return Comparison(cases=tuple(compare_run(run) for run in runs), missing=tuple(missing))


def _shares_columns(frame: pd.DataFrame) -> dict[str, list[str]]:
    return {f"{share} MRE": ["" if np.isnan(value) else _percent(value) for value in frame[f"{share}_mre"]]
            for share in ("circuit", "substitution")}


def _parted(case: CaseComparison) -> str:
    """In words; "": it stays within the limit, or torch rests at 0."""
    first = None
    for k, error in enumerate(case.errors):
        if not error.full_scale:
            continue
        found = horizon(case.times, (case.twin[:, k] - case.reference[:, k]) / error.full_scale)
        if found.passed and (first is None or found.time < first[1]):
            first = nets.state_column(k), found.time
    if first is None:
        return ""
    return f"{case.label}: {first[0]} is the first state to pass {LIMIT:.0%} of full scale, at {first[1]:.4g} model s"


def _truth_columns(frame: pd.DataFrame) -> dict[str, list[str]]:
    def percents(name: str) -> list[str]:
        unknown = frame["model_l1"].isna()
        return ["" if missing else _percent(value, of="truth") for missing, value in zip(unknown, frame[name], strict=True)]

    return {"model MRE": percents("model_mre"), "model max": percents("model_max_error"),
            "total MRE": percents("total_mre"), "total max": percents("total_max_error")}


def _percent(value: float, of: str = "torch") -> str:
    return f"{of} is 0" if np.isnan(value) else f"{value:.4%}"
