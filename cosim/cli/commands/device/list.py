"""`cosim device list`."""

from __future__ import annotations

import pandas as pd

from circuits.dynamic.catalogue import DEVICES, find_device
from cosim.console import Console


def run() -> None:
    """A line per device of the catalogue."""
    rows = []
    for name in DEVICES:
        device = find_device(name)
        low, high = device.input_range
        rows.append({"device": name, "origin": device.origin, "input": f"[{low:g}, {high:g}] {device.input_units}".strip(),
                     "outputs": device.n_outputs, "step": f"{device.step_time:g} s", "models": device.purpose})
    Console(width=160).table(pd.DataFrame(rows), "devices")
