"""Tables: a plot as a data frame that Parquet and CSV can hold, its columns' units beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuits.engine.waveforms import Waveforms


def plot_table(waves: Waveforms) -> tuple[pd.DataFrame, dict[str, str]]:
    """Columns of a plot, and the unit of each that has one.

    A complex vector becomes ``real(<name>)`` and ``imag(<name>)``; over a frequency also ``db(<name>)``, 20 log10 of its
    magnitude, and ``phase(<name>)`` in degrees from -180 to 180.
    """
    columns: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}

    def put(name: str, values: np.ndarray, unit: str) -> None:
        columns[name] = values
        if unit:
            units[name] = unit

    for index, (name, unit) in enumerate(zip(waves.names, waves.units, strict=True)):
        values = waves.data[:, index]
        if not np.iscomplexobj(values) or (index == 0 and waves.has_scale):
            put(name, values.real, unit)
            continue
        put(f"real({name})", values.real, unit)
        put(f"imag({name})", values.imag, unit)
        if waves.scale_name == "frequency":
            with np.errstate(divide="ignore"):  # a vector that is zero is -inf dB
                put(f"db({name})", 20 * np.log10(np.abs(values)), "dB")
            put(f"phase({name})", np.degrees(np.angle(values)), "deg")
    return pd.DataFrame(columns), units


def rows(frame: pd.DataFrame, units: dict[str, str]) -> list[str]:
    """A line for each row of a small table."""
    return [", ".join(f"{name} {value:.6g} {units.get(name, '')}".rstrip() for name, value in row.items())
            for _, row in frame.iterrows()]


def single_values(frame: pd.DataFrame, units: dict[str, str]) -> list[str]:
    """Lines of a plot of one point, e.g. an operating point or poles; a complex value in one line."""
    lines = []
    for name in frame.columns:
        if name.startswith("imag("):
            continue
        value, unit = frame[name].iloc[0], units.get(name, "")
        if name.startswith("real(") and (other := f"imag({name[5:]}") in frame:
            name, text = name[5:-1], f"{value:.6g} {frame[other].iloc[0]:+.6g}j"
        else:
            text = f"{value:.6g}"
        lines.append(f"{name} = {text} {unit}".rstrip())
    return lines
