"""Memory: whether a board of this size fits this machine, said before hours are spent on it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from circuits.array.crossbar import SIZE
from cosim.errors import CosimError

# What one array costs, rounded up: flat 15 MB in ngspice (benchmarks/macromodel.py, twelve tiles), reduced 3.1 MB in the
# compiler (benchmarks/growth.py, 577 arrays).
BYTES_PER_ARRAY = {"flat": 16e6, "macro": 4e6}


def check_memory(widths: Sequence[tuple[int, int]], fidelity: str, available: float | None = None) -> None:
    """Refuse a network whose deck would not fit.

    Args:
        widths: (bit lines, outputs) a layer.
        fidelity: "flat" or "macro".
        available: bytes; None asks the machine.
    Raises:
        CosimError: says how many arrays, how much memory they need and how much there is.
    """
    available = available or os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    per_layer = [-(-lines // SIZE) * -(-outputs // SIZE) for lines, outputs in widths]
    arrays = sum(per_layer)
    needed = arrays * BYTES_PER_ARRAY[fidelity]
    if needed > available:
        largest = per_layer.index(max(per_layer))
        lines, outputs = widths[largest]
        raise CosimError(
            f"the network needs {arrays} arrays, {needed / 1e9:.1f} GB as a {fidelity} deck; {available / 1e9:.1f} GB are "
            f"free. The largest layer, Linear {largest + 1}, has {lines} bit lines and {outputs} outputs: make it narrower"
            f"{', or use fidelity macro' if fidelity == 'flat' else ''}"
        )
