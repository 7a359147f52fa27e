"""The check for ngspice that comes before any work."""

from __future__ import annotations

import sys
from functools import cache

from circuits.engine.compiled.op_amp import op_amp
from circuits.engine.ngspice import find_engine


def require_engine() -> None:
    """Look for ngspice before anything is trained or compiled for it; say once a process where its op-amps are the slow ones.

    Raises:
        SimulationError: ngspice is missing or too old, with the way to mend it.
        CircuitError: ``COSIM_OPAMP`` has a value that means nothing.
    """
    find_engine()
    form = op_amp()
    if form.module is None and not form.wished:
        _say(f"op-amps run as their subcircuit, in up to twice the time, with the same results: {form.why}")


@cache
def _say(line: str) -> None:
    print(line, file=sys.stderr)
