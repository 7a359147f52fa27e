"""The solver's options of a transient, and the set that was measured to be accurate."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from circuits.errors import CircuitError

METHODS = ("trap", "gear")


@dataclass(frozen=True, kw_only=True)
class Solver:
    """How ngspice chooses its steps; `circuits.board.testbench.Timing` holds the largest step."""

    method: str = "trap"  # integration rule
    trtol: float = 1.0  # dimensionless, factor by which truncation errors are overestimated; ngspice's default is 7
    chgtol: float | None = None  # C, charge below which a truncation error does not count; None is ngspice's default, 1e-14
    xmu: float = 0.49  # 0.5 is the pure trapezoidal rule, which rings after the switches toggle (docs/explanation/solver.md)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise CircuitError(f"solver method {self.method!r}: ngspice has {' and '.join(METHODS)}")
        if not (isfinite(self.trtol) and self.trtol >= 1):
            raise CircuitError(f"solver trtol = {self.trtol}: at least 1, which is the strictest")
        if self.chgtol is not None and not (isfinite(self.chgtol) and self.chgtol > 0):
            raise CircuitError(f"solver chgtol = {self.chgtol} C: above 0, or None for ngspice's own")
        if not 0 <= self.xmu <= 0.5:
            raise CircuitError(f"solver xmu = {self.xmu}: between 0, backward Euler, and 0.5, the trapezoidal rule")

    @property
    def options(self) -> str:
        """What follows ``.options`` in a deck. klu and the three words with "no" are for speed."""
        words = ["klu noopiter nopage noinit"]
        if self.method != "trap":
            words.append(f"method={self.method}")
        words.append(f"trtol={self.trtol:g}")
        if self.chgtol is not None:
            words.append(f"chgtol={self.chgtol:g}")
        if self.method == "trap":
            words.append(f"xmu={self.xmu:g}")
        return " ".join(words)


ACCURATE = Solver()
# The truncation error of a nanocoulomb does not count, so that the largest step alone sets the accuracy, and no step is tried
# in vain. Gear, since it damps what the trapezoidal rule lets ring when nothing watches the charges. Where a board is as smooth
# as the HP twin it takes fewer iterations for the same error; whether it does is measured by `cosim convergence`.
STEPPED = Solver(method="gear", chgtol=1e-9)
SOLVERS = {"accurate": ACCURATE, "stepped": STEPPED}
