"""Window: the part of the scale that a golden file holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from circuits.engine.waveforms import Waveforms
from cosim.errors import GoldenError, GoldenMismatch
from cosim.golden.signals import shown_point

MOST_SAMPLES = 1_000_000
SLACK = 1e-6  # of a run's length; a run counts as complete when it ends that close to its stop time (circuits.engine.verdict)

REGENERATE = "or run pytest with --force-regen to write the file anew"


@dataclass(frozen=True, kw_only=True)
class Window:
    """From where to where a run is written and compared."""

    start: float | None = None  # of the scale, e.g. s; None: where the run, or its golden file, begins
    stop: float | None = None  # None: where it ends

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and math.isfinite(value)):
                raise GoldenError(f"{name} = {value!r}; give a finite number, e.g. a time in seconds, or None")
        if self.start is not None and self.stop is not None and not self.start < self.stop:
            raise GoldenError(f"start = {self.start:g} is not before stop = {self.stop:g}; exchange or correct them")

    def sample(self, run: Waveforms, samples: int) -> Waveforms:
        """The run at evenly spaced points of the window; of a frequency, evenly spaced in its logarithm.

        Raises:
            GoldenError: the window lies outside the run, or samples is no number from 2 on.
        """
        if isinstance(samples, bool) or not isinstance(samples, Integral) or not 2 <= samples <= MOST_SAMPLES:
            raise GoldenError(f"samples = {samples!r}; give a whole number from 2 to {MOST_SAMPLES}, 501 suits most waveforms")
        first, last = run.scale[0], run.scale[-1]
        slack = SLACK * (last - first)
        for name, value in (("start", self.start), ("stop", self.stop)):
            if value is not None and not first - slack <= value <= last + slack:
                raise GoldenError(f"{name} = {_point(run, value)} lies outside the run, which covers "
                                  f"{_range(run, first, last)}; correct it, or extend the deck's analysis")
        begin = first if self.start is None else max(self.start, first)
        end = last if self.stop is None else min(self.stop, last)
        logarithmic = run.scale_name == "frequency" and begin > 0
        return resampled(run, (np.geomspace if logarithmic else np.linspace)(begin, end, samples))

    def of_golden(self, golden: Waveforms, run: Waveforms) -> Waveforms:
        """The golden rows at which the run is compared.

        Raises:
            GoldenMismatch: golden file and run have other scales, the run does not cover the rows, or the golden file does not
                cover the window.
        """
        file = f"golden file {golden.title}"
        if golden.scale_name != run.scale_name:
            raise GoldenMismatch(f"the first column of {file} is {golden.scale_name!r}, the run's scale is {run.scale_name!r}; "
                                 f"compare the analysis that the file was written from, {REGENERATE}")
        scale, slack = golden.scale, SLACK * (run.scale[-1] - run.scale[0])
        start, stop = (scale[0] if self.start is None else self.start), (scale[-1] if self.stop is None else self.stop)
        if start < scale[0] - slack or stop > scale[-1] + slack:
            raise GoldenMismatch(f"{file} covers {_range(run, scale[0], scale[-1])}, the test asks for "
                                 f"{_range(run, start, stop)}; narrow start and stop, {REGENERATE}")
        inside = (scale >= start - slack) & (scale <= stop + slack)
        if inside.sum() < 2:
            raise GoldenMismatch(f"{file} has {inside.sum()} row(s) at {_range(run, start, stop)}, 2 are needed; widen start "
                                 f"and stop, {REGENERATE}")
        kept = scale[inside]
        for fault, mend, wrong in (("ends", "stop", kept[-1] > run.scale[-1] + slack),
                                   ("begins", "start", kept[0] < run.scale[0] - slack)):
            if wrong:
                row = -1 if fault == "ends" else 0
                raise GoldenMismatch(f"the run {fault} at {_point(run, run.scale[row])}, {file} {fault} at "
                                     f"{_point(run, kept[row])}, and nothing is extrapolated; extend the deck's analysis, give "
                                     f"{mend}, {REGENERATE}")
        return Waveforms(plot=golden.plot, title=golden.title, names=golden.names, data=golden.data[inside])

    def unheld(self, golden: Waveforms, run: Waveforms) -> str:
        """What of the run no golden row holds although the test did not leave it out; empty when there is nothing."""
        slack = SLACK * (run.scale[-1] - run.scale[0])
        before = self.start is None and run.scale[0] < golden.scale[0] - slack
        after = self.stop is None and run.scale[-1] > golden.scale[-1] + slack
        if not (before or after):
            return ""
        return (f"golden file {golden.title} covers {_range(run, golden.scale[0], golden.scale[-1])}, the run "
                f"{_range(run, run.scale[0], run.scale[-1])}, and the rest of it is not compared; give start or stop if that "
                "is meant, or run pytest with --regen-all to write the file anew")


def resampled(run: Waveforms, points: np.ndarray) -> Waveforms:
    """Every vector of a run at other points of its scale; a point beyond its ends by less than SLACK counts as the end."""
    inside = np.clip(points, run.scale[0], run.scale[-1])
    columns = [run.resample(name, inside) for name in run.names[1:]]
    return Waveforms(plot=run.plot, title=run.title, names=run.names, data=np.column_stack([points, *columns]))


def _range(run: Waveforms, start: float, stop: float) -> str:
    return f"{_point(run, start)} to {_point(run, stop)}"


def _point(run: Waveforms, value: float) -> str:
    return shown_point(run.scale_name, value)
