"""The check for ngspice that comes before any work."""

from __future__ import annotations

from circuits.engine.ngspice import find_engine


def require_engine() -> None:
    """Look for ngspice before anything is trained or compiled for it.

    Raises:
        SimulationError: it is missing or too old, with the way to mend it.
    """
    find_engine()
