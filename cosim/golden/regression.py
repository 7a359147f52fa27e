"""The fixture's object: runs a deck, and holds its waveforms within a band of a golden file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_datadir.plugin import LazyDataDir
from pytest_regressions.common import perform_regression_check

from circuits.engine.waveforms import Waveforms
from cosim.errors import CosimWarning, GoldenError, GoldenMismatch
from cosim.golden.band import Bands, Share, bands
from cosim.golden.deviation import Deviation, deviation
from cosim.golden.golden_file import SUFFIX, read_golden, write_golden
from cosim.golden.signals import signals
from cosim.golden.window import Window, resampled

BAND = 0.005  # of full scale
SAMPLES = 501


@dataclass(frozen=True, kw_only=True, repr=False)
class WaveformRegression:
    """Holds waveforms of one test."""

    simulate_deck: Callable[[str | os.PathLike[str]], Waveforms]
    datadir: LazyDataDir  # the copy of the test's data folder
    original_datadir: Path  # the data folder: beside the test file, named as it is
    request: pytest.FixtureRequest

    def __repr__(self) -> str:
        return f"<waveform_regression of {self.request.node.name}>"

    def check(self, deck_or_waveforms: str | os.PathLike[str] | Waveforms, vectors: Sequence[str] = ("v(out)",), *,
              band: Share = BAND, floor: Share | None = None, samples: int = SAMPLES, basename: str | None = None,
              start: float | None = None, stop: float | None = None, band_abs: Share | None = None) -> None:
        """Fail when a vector leaves the band around its golden curve; the first run writes the golden file, and fails.

        The run is compared at the golden file's own points. ``--force-regen`` writes the file anew where a test fails,
        ``--regen-all`` writes every file.

        Args:
            deck_or_waveforms: a deck (.cir) to simulate, or the waveforms of a run.
            vectors: what to hold, e.g. "v(out)", "i(v1)"; of an ``.ac``, "db(v(out))" and "phase(v(out))".
            band: half width of the band as a part of the vector's full scale, which is the largest magnitude of its golden
                curve; one number, or a mapping from every vector.
            floor: least half width of such a band, in the vector's unit (V, A).
            samples: rows of a golden file that is written now.
            basename: name of the golden file without ".csv"; None: the test's.
            start: from where the run is written and compared, e.g. [s]; None: from its first point.
            stop: until where; None: to its last point.
            band_abs: half width in the vector's unit (V, A, dB, degrees) in the place of ``band``; one number for every
                vector, or a mapping for some.
        Raises:
            GoldenMismatch: a vector is outside its band, or the golden file is damaged or does not fit the run.
            GoldenError: an argument is wrong.
            SimulationError: the deck's run failed.
            MissingVector: the run has no such vector.
        """
        __tracebackhide__ = True
        run, subject = self._run_of(deck_or_waveforms)
        chosen = signals(run, vectors)
        limits = bands(chosen.names[1:], band, band_abs, floor)
        window = Window(start=start, stop=stop)
        table = window.sample(chosen, samples)

        def compare(obtained: Path, expected: Path) -> None:
            __tracebackhide__ = True
            golden = read_golden(expected, shown=self.original_datadir / expected.relative_to(self.datadir.tmp_path))
            found = self._deviations(golden, chosen, limits, window)
            failed = [item for item in found if item.outside.any()]
            if failed:
                from cosim.golden.picture import draw_picture  # matplotlib only where a test fails

                title = f"{subject}: {len(failed)} of {len(found)} vectors outside the band"
                picture = draw_picture(obtained.with_suffix(".png"), found, title)
                raise GoldenMismatch(_message(subject, found, golden.title, obtained, picture))
            if unheld := window.unheld(golden, chosen):
                self.request.node.warn(CosimWarning(unheld))

        perform_regression_check(
            datadir=self.datadir, original_datadir=self.original_datadir, request=self.request, check_fn=compare,
            dump_fn=lambda path: write_golden(path, table, subject), extension=SUFFIX, basename=basename)

    def _run_of(self, given: object) -> tuple[Waveforms, str]:
        """The waveforms, and what to call them."""
        __tracebackhide__ = True
        if isinstance(given, Waveforms):
            return given, given.title or "waveforms"
        if isinstance(given, (str, os.PathLike)):
            return self.simulate_deck(given), Path(given).name
        raise GoldenError(f"check() got a {type(given).__name__}; give the path of a deck, or Waveforms, such as "
                          "simulate_deck(path) or Result.waveforms")

    @staticmethod
    def _deviations(golden: Waveforms, run: Waveforms, limits: Bands, window: Window) -> list[Deviation]:
        __tracebackhide__ = True
        for name in run.names[1:]:
            if name not in golden.names:
                raise GoldenMismatch(f"golden file {golden.title} has no column {name}, only {', '.join(golden.names)}; "
                                     "correct vectors, or run pytest with --force-regen to write the file anew")
        rows = window.of_golden(golden, run)
        there = resampled(run, rows.scale)
        return [deviation(name, rows, there[name], limits.half_width(name, golden), limits.origin(name, golden))
                for name in run.names[1:]]


def _message(subject: str, found: Sequence[Deviation], golden: str, obtained: Path, picture: Path) -> str:
    failed = [item for item in found if item.outside.any()]
    return "\n".join([
        f"{subject}: {len(failed)} of {len(found)} vectors outside the band around the golden curve",
        *(f"  {item.sentence()}" for item in sorted(found, key=lambda item: -item.share_used)),
        f"golden:  {golden}",
        f"got:     {obtained}",
        f"picture: {picture}",
        "If the new waveforms are right, run pytest with --force-regen, look at the change and commit the golden file"])
