"""A gate on waveform errors: which cases exceed their limits, for a build that must fail then."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from circuits.board import nets
from cosim.comparison.case_comparison import CaseComparison
from cosim.comparison.comparison import Comparison
from cosim.errors import CosimError, GateError
from cosim.store.files import write_json

if TYPE_CHECKING:
    from cosim.diagnosis.diagnosis import Diagnosis


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Limits that every case and state must keep; None: no limit."""

    max_mre: float | None = None  # mean relative error, dimensionless
    max_error: float | None = None  # largest error, part of full scale
    allow_clamp_hits: bool = False  # lines that left their linear range are told, but fail nothing

    def __post_init__(self) -> None:
        for name in ("max_mre", "max_error"):
            limit = getattr(self, name)
            if limit is not None and not (np.isfinite(limit) and 0 < limit <= 1):
                raise CosimError(f"{name} = {limit:.4g}, that is {limit:.4%}: a limit lies above 0, which no simulation "
                                 "reaches, and at most at 100 %, beyond which a gate lets anything pass; e.g. 0.5% or 0.005")

    @property
    def summary(self) -> str:
        """The limits in words."""
        limits = [f"{name} at most {limit:.4g} %" for name, limit in (
            ("MRE", self.max_mre and 100 * self.max_mre),
            ("largest error in full scale", self.max_error and 100 * self.max_error)) if limit is not None]
        return ", ".join([*limits, "lines may leave their linear range" if self.allow_clamp_hits else
                          "no line out of its linear range"])

    def violations(self, comparison: Comparison) -> list[str]:
        """What exceeds its limit, one line each, with case, state, figure and limit."""
        return [line for case in comparison.cases for line in self._violations(case)]

    def check(self, comparison: Comparison) -> None:
        """Fail when anything exceeds its limit.

        Raises:
            GateError: names every case that does.
        """
        if lines := self.violations(comparison):
            raise GateError(f"{len(lines)} of the gate's limits exceeded: " + "; ".join(lines))

    def write(self, path: Path, comparison: Comparison, why: Diagnosis | None = None) -> None:
        """Numeric rows, limits and verdict as JSON; a figure that has no meaning, of a state at rest, is null.

        Args:
            why: is written too, as ``why``; None: there is no such field.
        """
        rows = json.loads(comparison.to_frame().to_json(orient="records", double_precision=15))
        lines = self.violations(comparison)
        write_json(path, {"subject": comparison.subject, "limits": asdict(self), "passed": not lines, "violations": lines,
                          "not_simulated": list(comparison.missing), "cases": rows,
                          "clamp_hits": {case.label: case.clamp_hits for case in comparison.cases if case.clamp_hits},
                          **({} if why is None else {"why": why.as_fields()})})

    def _violations(self, case: CaseComparison) -> list[str]:
        lines = []
        for k, error in enumerate(case.errors):
            for name, value, limit in (("MRE", error.mre, self.max_mre), ("largest error", error.max_error, self.max_error)):
                where = f"{case.label}, state {nets.state_column(k)}"
                if limit is None:
                    continue
                if value is None:  # torch rests at 0
                    if error.max > 0:
                        lines.append(f"{where}: torch is 0 throughout and the circuit is off by up to {error.max:.3g} model "
                                     f"units, of which no {name} in parts of full scale can be told")
                elif value > limit:
                    lines.append(f"{where}: {name} {value:.4%}, limit {limit:.4%}")
        if case.clamp_hits and not self.allow_clamp_hits:
            line, hit = next(iter(case.clamp_hits.items()))
            lines.append(f"{case.label}: {nets.signal_words(line)} left its linear range, {hit['peak']:.3f} V first at "
                         f"{hit['time']:.6g} s of circuit time (lines in all: {len(case.clamp_hits)})")
        return lines


def parse_limit(text: str) -> float:
    """A limit as a user types it: "0.5%" or "0.005".

    Raises:
        CosimError: it is no number; or a number above 1 without a percent sign, which may mean either.
    """
    words = text.strip()
    try:
        value = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
    except ValueError:
        raise CosimError(f"limit {text!r} is no number; write e.g. 0.5% or 0.005") from None
    if not words.endswith("%") and value > 1:
        raise CosimError(f"limit {text!r} is more than the whole; write {words}% for {value:g} percent, or a part below 1")
    return value
