"""Waveforms: the vectors of one plot of a run, by name."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import CircuitError, MissingVector, ResamplingError

if TYPE_CHECKING:
    import pandas as pd

CROWD = 0.1  # of the median time step: points closer than that ...
STILL = 5e-5  # ... that move by less than this of the vector's range say nothing; solver noise there is a fifth of it
SCALES = ("time", "frequency", "harmonic")
UNITS = {"time": "s", "frequency": "Hz", "voltage": "V", "current": "A", "voltage-density": "V/sqrt(Hz)",
         "current-density": "A/sqrt(Hz)", "voltage^2-density": "V^2/Hz", "current^2-density": "A^2/Hz", "temperature": "degC",
         "temp-sweep": "degC", "res-sweep": "ohm", "impedance": "ohm", "admittance": "S", "power": "W", "phase": "deg",
         "decibel": "dB", "capacitance": "F", "charge": "C", "degree": "deg"}

_BRANCH = re.compile(r"(.+)#branch")


@dataclass(frozen=True, kw_only=True, eq=False)
class Waveforms:
    """Vectors of one plot. The first is the scale: time [s], frequency [Hz] or a sweep.

    Columns are real, or complex after an ``.ac``; voltages in V, currents in A.
    """

    plot: str  # ngspice's plot name, e.g. "Transient Analysis"
    title: str  # the deck's title line
    names: tuple[str, ...]  # lower case, "time", "v(out)", "i(v1)"
    data: np.ndarray  # (points, vectors)
    partial: bool = False  # True: the run did not reach its end
    name: str = ""  # "tran", "ac", or "tran2" where a deck has several of a kind; "" outside a run
    card: str = ""  # the deck's card that asked for it, where that is known
    types: tuple[str, ...] = ()  # ngspice's word for each vector, "voltage", "current", ...; none when not known

    def __post_init__(self) -> None:
        if self.data.ndim != 2 or self.data.shape[1] != len(self.names):
            raise CircuitError(f"waveforms: data of shape {self.data.shape} for {len(self.names)} names; give one column "
                               "a name")

    def __len__(self) -> int:
        return self.data.shape[0]

    def __contains__(self, name: str) -> bool:
        return self._column(name) is not None

    def __getitem__(self, name: str) -> np.ndarray:
        """Column of a vector as ``.save`` accepts it: case and blanks do not matter, ``v1#branch`` is ``i(v1)``, ``out``
        is ``v(out)``, ``@r1[i]`` is ``i(@r1[i])``.

        Raises:
            MissingVector: the run saved no such vector; lists the closest names.
        """
        column = self._column(name)
        if column is None:
            key = canonical(name)
            close = difflib.get_close_matches(key, self.names, n=5, cutoff=0.5)
            near = f"closest: {', '.join(close)}" if close else f"saved: {', '.join(self.names[:10])}"
            raise MissingVector(f"vector {name!r} is not in plot {self.plot!r} ({len(self.names)} vectors; {near}); "
                                "correct the name or add it to the deck's .save")
        return self.data[:, column]

    def _column(self, name: str) -> int | None:
        key = canonical(name)
        for spelling in (key, f"v({key})", f"i({key})"):
            if spelling in self.names:
                return self.names.index(spelling)
        return None

    @property
    def has_scale(self) -> bool:
        """False for a plot of single values: an operating point, poles, a transfer function."""
        return self.names[0] in SCALES or self.names[0].endswith("-sweep")

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each vector, "" where it has none or none is known."""
        if self.plot.lower().startswith("pole-zero"):
            return ("rad/s",) * len(self.names)
        if self.plot.lower().startswith("transfer function"):  # ngspice calls all of it voltages
            return tuple("ohm" if "impedance" in name else "" for name in self.names)
        return tuple(UNITS.get(kind, "") for kind in self.types or ("",) * len(self.names))

    @property
    def scale_name(self) -> str:
        """Name of the independent vector: "time", "frequency", "v-sweep", ..."""
        return self.names[0]

    @property
    def scale(self) -> np.ndarray:
        """(points,) independent vector, real."""
        return self.data[:, 0].real

    @property
    def time(self) -> np.ndarray:
        """(points,) [s].

        Raises:
            MissingVector: the plot is not a transient.
        """
        if self.scale_name != "time":
            raise MissingVector(f"plot {self.plot!r} runs over {self.scale_name!r}, not time; use .scale")
        return self.scale

    def resample(self, name: str, times: np.ndarray) -> np.ndarray:
        """Values of a vector at other points of the scale, by shape-preserving cubics (PCHIP).

        ngspice's points are uneven and may repeat at a breakpoint; of a repeated one the last is kept. PCHIP does not
        overshoot at a switching edge, where a natural spline rings. It takes every extremum for true, though: a microvolt of
        solver noise between points of a microsecond at a breakpoint flattens the whole step before it. So points of a
        transient that crowd without moving are left out.

        Args:
            times: points of the scale, e.g. times [s], any order, inside the run.
        Raises:
            ResamplingError: a point lies outside the run (no extrapolation), or the scale runs backwards.
        """
        from scipy.interpolate import PchipInterpolator

        column, scale = self[name], self.scale
        times = np.asarray(times, dtype=float)
        if len(scale) < 2:
            raise ResamplingError(f"{name}: plot {self.plot!r} has {len(scale)} points, 2 are needed to resample")
        if np.any(np.diff(scale) < 0):
            raise ResamplingError(f"{name}: scale {self.scale_name!r} runs backwards (a nested sweep?); split the plot "
                                  "first")
        if not np.all(np.isfinite(times)):
            raise ResamplingError(f"{name}: asked for a value at a point that is not finite")
        slack = 1e-9 * (scale[-1] - scale[0])  # rounding of a stop time, never a step
        if times.size and (times.min() < scale[0] - slack or times.max() > scale[-1] + slack):
            raise ResamplingError(
                f"{name}: asked for {self.scale_name} {times.min():.9g} to {times.max():.9g}, the run covers "
                f"{scale[0]:.9g} to {scale[-1]:.9g}; extend the analysis, nothing is extrapolated")
        last = np.append(np.diff(scale) > 0, True)
        x, y, at = scale[last], column[last], np.clip(times, scale[0], scale[-1])
        if self.scale_name == "time":
            kept = _without_crowd(x, y)
            x, y = x[kept], y[kept]
        if np.iscomplexobj(y):
            return PchipInterpolator(x, y.real)(at) + 1j * PchipInterpolator(x, y.imag)(at)
        return PchipInterpolator(x, y)(at)

    def crossing(self, name: str, level: float, after: float | None = None) -> float:
        """First point of the scale at which a real vector crosses a level, either way, linearly interpolated.

        Args:
            level: in the vector's unit.
            after: point of the scale from which to look, e.g. time [s] of the edge; None: from the start.
        Raises:
            CircuitError: the vector does not cross the level there.
        """
        x, y = self.scale, self[name].real
        above = y > level
        crossed = above[1:] != above[:-1]
        if after is not None:
            crossed &= x[1:] > after
        if not crossed.any():
            since = "" if after is None else f" after {self.scale_name} = {after:.6g}"
            raise CircuitError(f"{name} of plot {self.plot!r} runs from {y.min():.6g} to {y.max():.6g} and does not cross "
                               f"{level:.6g}{since}; correct the level or extend the analysis")
        k = int(np.argmax(crossed))
        return float(x[k] + (level - y[k]) / (y[k + 1] - y[k]) * (x[k + 1] - x[k]))

    def to_frame(self) -> pd.DataFrame:
        """Data frame indexed by the scale, one column a vector."""
        import pandas as pd

        index = pd.Index(self.scale, name=self.scale_name)
        return pd.DataFrame(self.data[:, 1:], index=index, columns=list(self.names[1:]))


def canonical(name: str) -> str:
    """The spelling a raw file uses: lower case, no blanks, ``i(v1)`` for ``v1#branch``."""
    key = "".join(name.lower().split())
    branch = _BRANCH.fullmatch(key)
    return f"i({branch[1]})" if branch else key


def _without_crowd(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points to interpolate through: all but those that follow a kept one closely and do not move; the ends stay."""
    steps = np.diff(x)
    kept = np.ones(len(x), dtype=bool)
    near, still = CROWD * np.median(steps), STILL * np.ptp(np.abs(y))
    last, before = 0, 0
    for k in np.flatnonzero(steps < near) + 1:
        if k - 1 != before or kept[k - 1]:
            last = k - 1
        before = k
        kept[k] = x[k] - x[last] >= near or abs(y[k] - y[last]) >= still
    kept[-1] = True
    return kept
