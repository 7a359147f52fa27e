"""Deviation: how far one vector of a run is from its golden curve, in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.engine.waveforms import Waveforms
from cosim.golden.signals import shown, shown_point, unit_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Deviation:
    """One vector against its golden curve."""

    name: str
    scale_name: str  # "time", "frequency", ...
    scale: np.ndarray  # (rows,), ascending, e.g. s
    golden: np.ndarray  # (rows,), unit of the vector
    run: np.ndarray  # (rows,), the run at the golden's points
    half_width: float  # of the band, unit of the vector
    origin: str  # of the half width, in words

    @property
    def difference(self) -> np.ndarray:
        """(rows,) run minus golden."""
        return self.run - self.golden

    @property
    def outside(self) -> np.ndarray:
        """(rows,) whether the run is outside the band."""
        return np.abs(self.difference) > self.half_width

    @property
    def worst(self) -> int:
        """Row of the largest difference."""
        return int(np.argmax(np.abs(self.difference)))

    @property
    def share_used(self) -> float:
        """Largest difference as a part of the half width; over 1 is outside."""
        return float(np.abs(self.difference[self.worst])) / self.half_width

    @property
    def axis(self) -> np.ndarray:
        """(rows,) the scale as it is drawn: the logarithm of a frequency, else itself."""
        return np.log10(self.scale) if self.is_logarithmic else self.scale

    @property
    def is_logarithmic(self) -> bool:
        return self.scale_name == "frequency" and self.scale[0] > 0

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """First and last row of every stretch outside the band."""
        edges = np.diff(np.concatenate([[0], self.outside.astype(int), [0]]))
        return list(zip(np.flatnonzero(edges > 0).tolist(), (np.flatnonzero(edges < 0) - 1).tolist(), strict=True))

    def share_outside(self) -> float:
        """Part of the scale, 0 to 1, at which the run is outside; each row stands for half the way to its neighbours."""
        steps = np.diff(self.axis)
        weights = (np.append(steps, 0) + np.append(0, steps)) / 2
        return float(weights[self.outside].sum() / weights.sum())

    def sentence(self) -> str:
        """The finding, for a message."""
        value = self.value
        if not self.outside.any():
            return f"{self.name}: inside its band, of which it uses {100 * self.share_used:.3g} %"
        k, (first, last) = self.worst, self.stretches[0]
        excess = abs(self.difference[k]) - self.half_width
        share = 100 * self.share_outside()
        where = "time" if self.scale_name == "time" else f"{self.scale_name} axis"
        return (f"{self.name}: {value(excess)} outside its band at {self.scale_name} = {self.point(k)}, the worst place: "
                f"golden {value(self.golden[k])}, got {value(self.run[k])}, difference {value(self.difference[k], '+')}, band "
                f"±{value(self.half_width)} ({self.origin}). It is outside for {share:.3g} % of the {where}, first from "
                f"{self.point(first)} to {self.point(last)}")

    def point(self, row: int) -> str:
        """The scale at a row, with its unit."""
        return shown_point(self.scale_name, self.scale[row])

    def value(self, value: float, sign: str = "", digits: int = 6) -> str:
        """A value of the vector, with its unit."""
        return shown(value, unit_of(self.name), digits, sign)


def aligned(name: str, golden: np.ndarray, run: np.ndarray) -> np.ndarray:
    """The run's curve, a phase moved by the whole turns that it is from the golden one."""
    if not name.startswith("phase("):
        return run
    return run + 360 * np.round(np.median(golden - run) / 360)


def deviation(name: str, golden: Waveforms, run: np.ndarray, half_width: float, origin: str) -> Deviation:
    """A vector's values (rows,) against the golden rows."""
    return Deviation(name=name, scale_name=golden.scale_name, scale=golden.scale, golden=golden[name],
                     run=aligned(name, golden[name], run), half_width=half_width, origin=origin)
