"""Why a board differs from torch, for every case that was simulated."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import pandas as pd

from circuits.board import nets
from cosim.diagnosis.advice import advice
from cosim.diagnosis.case_diagnosis import CaseDiagnosis
from cosim.diagnosis.words import sentences


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagnosis:
    """What :meth:`cosim.Comparison.diagnose` gives: text when printed, figures as frames."""

    cases: tuple[CaseDiagnosis, ...]

    @property
    def advice(self) -> dict[str, list[str]]:
        """What to change, sentences of every case."""
        return {case.label: advice(case) for case in self.cases}

    @property
    def text(self) -> str:
        """Plain sentences, a line each, under the name of their case."""
        return "\n".join(line for case in self.cases for line in (f"{case.label}:", *(f"  {line}" for line in sentences(case))))

    def to_frame(self) -> pd.DataFrame:
        """One row per case and state: horizon [model s], passed, lyapunov_times, phase and amplitude (parts of the error's
        power), delay [model s], drift, and of the case exponent and standard_error [1/model s], growth, propagated, left."""
        rows = []
        for case in self.cases:
            grows, told = case.amplification, case.shares
            for k, (found, shift) in enumerate(zip(case.horizons, case.shifts, strict=True)):
                times = found.time / grows.e_fold if grows.amplifies else None
                rows.append({"case": case.label, "state": nets.state_column(k), "horizon": found.time, "passed": found.passed,
                             "lyapunov_times": times, "phase": shift.phase, "amplitude": shift.amplitude,
                             "delay": shift.delay, "drift": shift.drift, "exponent": grows.exponent,
                             "standard_error": grows.standard_error, "growth": grows.growth,
                             "propagated": told.propagated if told else None, "left": told.left if told else None})
        numbers = {name: float for name in ("lyapunov_times", "phase", "amplitude", "propagated", "left")}
        return pd.DataFrame(rows).astype(numbers)

    def sources_frame(self) -> pd.DataFrame:
        """One row per case and imperfection: case, part_of ("" or "static"), source, alone (largest error that it would lead to
        by itself, part of full scale), share (part of the measured error; below 0: against the others)."""
        rows = [{"case": case.label, "part_of": part_of, "source": share.name, "alone": share.alone, "share": share.share}
                for case in self.cases if case.shares
                for part_of, group in (("", case.shares.sources), ("static", case.shares.static)) for share in group]
        return pd.DataFrame(rows, columns=["case", "part_of", "source", "alone", "share"])

    def as_fields(self) -> list[dict[str, Any]]:
        """For a JSON file, a mapping per case; what is not known is null."""
        return [_fields(case) for case in self.cases]

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return "".join(f"<p><b>{escape(case.label)}</b></p><ul>"
                       + "".join(f"<li>{escape(line)}</li>" for line in sentences(case)) + "</ul>" for case in self.cases)


def _fields(case: CaseDiagnosis) -> dict[str, Any]:
    states = [{"state": nets.state_column(k), "horizon": asdict(found),
               "time_shift": asdict(shift) | {"amplitude": shift.amplitude}}
              for k, (found, shift) in enumerate(zip(case.horizons, case.shifts, strict=True))]
    amplification = asdict(case.amplification) | {"amplifies": case.amplification.amplifies}
    if amplification["exponent"] == float("-inf"):
        amplification["exponent"] = None
    return {"case": case.label, "first_state": nets.state_column(case.first_state), "lyapunov_times": case.lyapunov_times,
            "states": states, "amplification": amplification, "neurons": asdict(case.neurons) if case.neurons else None,
            "overdriven": [asdict(signal) for signal in case.overdriven],
            "shares": asdict(case.shares) if case.shares else None, "unknown": case.unknown,
            "speeds": [asdict(speed) for speed in case.speeds], "advice": advice(case), "text": sentences(case)}
