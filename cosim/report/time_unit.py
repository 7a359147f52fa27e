"""The unit in which a run's times are read most easily."""

from __future__ import annotations

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def time_unit(seconds: float) -> tuple[float, str]:
    """(unit [s], its name) of an axis that reaches so far, e.g. (1e-3, "ms") for 0.2 s."""
    return next(((unit, name) for unit, name in UNITS if seconds >= unit), UNITS[-1])
