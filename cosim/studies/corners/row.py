"""One corner of a twin as the table shows it: error, bound, verdict, cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import numpy as np

from circuits.corners.corner import Corner
from cosim.comparison.metrics import waveform_error


@dataclass(frozen=True, kw_only=True)
class TwinError:
    """Distance of a twin from torch."""

    mre: float  # dimensionless
    max: float  # parts of the torch solution's largest magnitude

    @classmethod
    def between(cls, expected: np.ndarray, got: np.ndarray) -> TwinError:
        """Worst of the states; (samples, states) each."""
        errors = [waveform_error(one, other) for one, other in zip(expected.T, got.T, strict=True)]
        full_scale = np.abs(expected).max(axis=0)
        return cls(mre=max(one.mre for one in errors),
                   max=max(one.max / float(scale) for one, scale in zip(errors, full_scale, strict=True)))

    @classmethod
    def worst(cls, errors: Iterable[TwinError]) -> TwinError:
        """Largest MRE and largest maximum, not necessarily of one waveform."""
        errors = list(errors)
        return cls(mre=max(one.mre for one in errors), max=max(one.max for one in errors))

    def within(self, limit: TwinError) -> bool:
        return self.mre <= limit.mre and self.max <= limit.max

    def __str__(self) -> str:
        return f"MRE {self.mre:.2%}, max {self.max:.2%}"


CLAIM = TwinError(mre=0.005, max=0.01)  # the circuit error that the board is sold with


@dataclass(frozen=True, kw_only=True)
class CornerCase:
    """One stimulus at a corner."""

    case: str
    bound: TwinError
    error: TwinError | None = None  # None: the run failed
    clamp_hits: dict[str, dict[str, float]] = field(default_factory=dict)  # as cosim.comparison.clamp_hits gives them
    failure: str = ""  # of the run

    @property
    def trouble(self) -> str:
        """Why the run must not be believed; "": nothing."""
        if self.error is None:
            return self.failure
        told = [f"{line} reaches {hit['peak']:.3f} V, past its linear range" for line, hit in self.clamp_hits.items()]
        if not self.error.within(self.bound):
            told.append(f"{self.error} of full scale, beyond the stated bound ({self.bound})")
        return ", ".join(told)


@dataclass(frozen=True, kw_only=True)
class CornerRow:
    """A corner."""

    corner: Corner
    cases: tuple[CornerCase, ...]
    without: dict[str, TwinError] = field(default_factory=dict)  # effect -> worst error without it, strongest effect first
    unexplained: str = ""  # why what was measured without the effects tells no cause

    @property
    def error(self) -> TwinError | None:
        """Worst of the stimuli; None where one failed."""
        found = [one.error for one in self.cases]
        return None if None in found else TwinError.worst(found)

    @property
    def bound(self) -> TwinError:
        """Largest of the stimuli; each is held against its own."""
        return TwinError.worst(one.bound for one in self.cases)

    @property
    def hits(self) -> int:
        """Lines that left their linear range, of all stimuli."""
        return sum(len(one.clamp_hits) for one in self.cases)

    @property
    def trouble(self) -> str:
        """Why the corner must not be believed; "": nothing."""
        return "; ".join([f"{one.case}: {one.trouble}" for one in self.cases if one.trouble] or [self.unexplained])

    @property
    def verdict(self) -> str:
        """"within" the claim; "flagged": inside its bound, beyond the claim, with a cause; "FAILED": not to be believed."""
        return "FAILED" if self.trouble else "within" if self.error.within(CLAIM) else "flagged"

    @property
    def cause(self) -> str:
        """Of a flagged corner: its effects, strongest first, each with what was measured without it."""
        return "; ".join(f"{effect} (without: {one})" for effect, one in self.without.items()) or "the nominal board itself"

    def as_dict(self) -> dict:
        """What is stored."""
        return {"name": self.corner.name, "changes": self.corner.figures, "reason": self.corner.reason, "verdict": self.verdict,
                "trouble": self.trouble, "without": {effect: asdict(one) for effect, one in self.without.items()},
                "cases": [asdict(one) for one in self.cases]}
