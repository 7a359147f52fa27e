"""A signal given by samples: measured data, or what a function, a product or a chirp is turned into."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from training.errors import StimulusError
from training.stimuli.base import kind
from training.stimuli.knots import Knotted
from training.stimuli.thinning import thin

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

INTERPOLATIONS = ("linear", "hold")
EDGE = 0.01  # of the smallest spacing: what an edge of "hold" lasts when nothing is said
SLACK = 1e-9  # of a duration, by which a record may be too short: rounding of its times


@kind("sampled")
@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled(Knotted):
    """Samples at ascending times, even or uneven.

    Before the first sample the first value is held. After the last sample the data end: a case that lasts longer is refused,
    unless ``hold_last`` says that the last value is to be held. With interpolation "hold" the signal leaves the value before at
    a sample's time and has reached the sample's own value an ``edge`` later, since a circuit has no infinite slope.

    Two are equal when all their fields are.
    """

    times: np.ndarray  # (n,) s, ascending
    values: np.ndarray  # (n,) model units
    interpolation: str = "linear"  # "linear": straight lines between samples; "hold": each value until the next sample
    edge: float | None = None  # s, of "hold": how long a move to the next value takes; None: 1/100 of the smallest spacing
    hold_last: bool = False  # True: the last value stays after the last sample
    error: float = 0.0  # model units: how far a signal that was sampled, or thinned, is off the original at most
    source: str = ""  # where the samples are from, e.g. "drive.csv, column voltage"

    def __post_init__(self):
        for name in ("times", "values"):
            object.__setattr__(self, name, _floats(getattr(self, name), f"{self._where}: {name}"))
        self._check()
        if self.interpolation == "hold":
            spacing = float(np.diff(self.times).min())
            edge = EDGE * spacing if self.edge is None else self.edge
            if not 0.0 < edge < spacing:
                raise StimulusError(f"{self._where}: edge = {edge} s; it must be above 0 s, as a circuit has no infinite "
                                    f"slope, and below the smallest spacing of the samples, {spacing:.6g} s")
            object.__setattr__(self, "edge", float(edge))

    @classmethod
    def at_rate(cls, values: np.ndarray, rate: float, **how) -> Sampled:
        """Evenly spaced samples, the first at 0 s.

        Args:
            values: (n,) model units.
            rate: [samples/s].
            how: ``interpolation``, ``edge``, ``hold_last``, ``source``.
        """
        if not (np.isfinite(rate) and rate > 0.0):
            raise StimulusError(f"{cls.name}: rate = {rate} samples/s; it must be finite and above 0")
        return cls(times=np.arange(np.size(values)) / rate, values=values, **how)

    @classmethod
    def from_series(cls, series: pd.Series, **how) -> Sampled:
        """A pandas Series; its index is time in seconds, or dates or time differences, which count from the first.

        Args:
            how: ``interpolation``, ``edge``, ``hold_last``, ``source``.
        """
        from training.stimuli.tables import series_samples

        times, values, source = series_samples(series)
        return cls(times=times, values=values, **{"source": source, **how})

    @classmethod
    def from_file(cls, path: str | PathLike, column: str, *, time: str | None = None, rate: float | None = None,
                  **how) -> Sampled:
        """A column of a CSV file (.csv, also compressed) or of a Parquet file (.parquet).

        Args:
            column: name of the column with the values, model units.
            time: name of the column with the times [s]; or else
            rate: [samples/s], the first sample being at 0 s.
            how: ``interpolation``, ``edge``, ``hold_last``.
        Raises:
            StimulusError: no such file or column, or a value that is no number; names file, column and row.
        """
        from training.stimuli.tables import file_samples

        times, values, source = file_samples(path, column, time=time, rate=rate)
        return cls(times=times, values=values, **{"source": source, **how})

    def since(self, start: float) -> Sampled:
        """The same record, its time ``start`` [s] being 0 s from now on; what is before is not used."""
        return replace(self, times=self.times - start)

    def thinned(self, error: float = 1e-4) -> Sampled:
        """Without the samples that straight lines between the others replace: a deck of fewer corners, which runs faster.

        Args:
            error: largest deviation at a sample that was left out, as a part of the range of the values.
        Raises:
            StimulusError: the samples are held, not joined by straight lines.
        """
        if self.interpolation != "linear":
            raise StimulusError(f"{self._where}: interpolation {self.interpolation!r}; only samples that are joined by "
                                "straight lines can be thinned")
        kept = thin(self.times, self.values, error * float(np.ptp(self.values)))
        line = np.interp(self.times, self.times[kept], self.values[kept])
        return replace(self, times=self.times[kept], values=self.values[kept],
                       error=self.error + float(np.abs(line - self.values).max()))

    def stretched(self, factor):
        return replace(self, times=self.times * factor, edge=None if self.edge is None else self.edge * factor)

    def _value(self, t):
        return np.interp(t, *self._line)

    def _knots(self, t_stop):
        return self._line

    def _resolved(self, t_stop):
        start, end = float(self.times[0]), float(self.times[-1])
        if start >= t_stop > 0:
            raise StimulusError(f"{self._where}: its first sample is at {start:.6g} s, and it is needed from 0 to "
                                f"{t_stop:.6g} s; let its time count from there, .since({start:.6g}), or make the case longer")
        if not self.hold_last and t_stop > end + SLACK * abs(t_stop):
            raise StimulusError(f"{self._where}: the last of its {len(self.times)} samples is at {end:.6g} s, and it must last "
                                f"until {t_stop:.6g} s; shorten the case, or give hold_last=True to hold the last value (a "
                                "case whose function was sampled is made again from the function)")
        return self

    @cached_property
    def _line(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the signal."""
        if self.interpolation == "linear":
            return self.times, self.values
        moves = np.flatnonzero(np.diff(self.values)) + 1
        times = np.stack([self.times[moves], self.times[moves] + self.edge], axis=1).ravel()
        values = np.stack([self.values[moves - 1], self.values[moves]], axis=1).ravel()
        ends = ([self.times[0]], [self.values[0]]), ([self.times[-1] + 2.0 * self.edge], [self.values[-1]])
        return tuple(np.concatenate([first, middle, last]) for first, middle, last in
                     zip(ends[0], (times, values), ends[1], strict=True))

    @property
    def _where(self) -> str:
        return self.source or self.name

    def _check(self) -> None:
        where, times, values = self._where, self.times, self.values
        if times.shape != values.shape:
            raise StimulusError(f"{where}: {len(times)} times and {len(values)} values; give one time per value")
        if len(times) < 2:
            raise StimulusError(f"{where}: {len(times)} samples; give two or more, or Constant(value=...) for one value")
        for name, array, unit in (("times", times, " s"), ("values", values, "")):
            if not np.isfinite(array).all():
                k = int(np.argmin(np.isfinite(array)))
                at = "" if name == "times" else f" at t = {times[k]:.6g} s"
                raise StimulusError(f"{where}: {name}[{k}] = {array[k]}{unit}{at} is not a finite number; leave out the "
                                    "samples that are missing, or fill them in, e.g. with pandas' dropna() or interpolate()")
        if not (np.diff(times) > 0.0).all():
            k = int(np.argmin(np.diff(times) > 0.0)) + 1
            raise StimulusError(f"{where}: times[{k}] = {float(times[k])!r} s comes after {float(times[k - 1])!r} s; times "
                                "must ascend, so sort the samples by time and leave out repeated ones")
        if self.interpolation not in INTERPOLATIONS:
            raise StimulusError(f"{where}: interpolation {self.interpolation!r}; it is one of {', '.join(INTERPOLATIONS)}")
        if self.interpolation == "linear" and self.edge is not None:
            raise StimulusError(f"{where}: edge = {self.edge} s belongs to interpolation \"hold\"; leave it out")
        if not (np.isfinite(self.error) and self.error >= 0.0):
            raise StimulusError(f"{where}: error = {self.error}; it must be 0 or more model units")

    def _content(self) -> tuple:
        return tuple(value.tobytes() if isinstance(value, np.ndarray) else value
                     for value in (getattr(self, field.name) for field in fields(self)))

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        held = ", hold_last=True" if self.hold_last else ""
        off = f", error={self.error:.3g}" if self.error else ""
        return (f"<{self._where}: {len(self.times)} samples from {self.times[0]:.6g} s to {self.times[-1]:.6g} s, "
                f"{self.interpolation}{held}{off}>")


def _floats(values: np.ndarray, what: str) -> np.ndarray:
    """A read-only float64 copy, without negative zeros, which would make equal arrays differ in their bytes."""
    try:
        array = np.array(values.detach().numpy() if hasattr(values, "detach") else values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"they are of type {array.dtype}")
    except (TypeError, ValueError) as error:
        raise StimulusError(f"{what} are not numbers ({error}); give a one-dimensional array of numbers") from error
    if array.ndim != 1:
        raise StimulusError(f"{what} have shape {array.shape}; give a one-dimensional array, one stimulus per external input")
    array = array.astype(np.float64) + 0.0
    array.setflags(write=False)
    return array
