"""The result of a run that was believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from circuits.engine.waveforms import Waveforms
from circuits.errors import CircuitError, MeasureFailed


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything a job gave back."""

    deck: Path
    plots: tuple[Waveforms, ...]  # one an analysis (two for .noise), in the raw file's order; then the tables of .four
    measures: Mapping[str, float]  # by lower-case name, SI units; NaN for a failed one
    failed_measures: Mapping[str, str]  # name -> reason; a name in here is NaN in ``measures``
    warnings: tuple[str, ...]  # ngspice's "Warning:" lines, each once
    log: str
    seconds: float  # s, wall clock of the simulation
    ngspice_version: int | None  # None: another engine ran the deck
    notes: tuple[str, ...] = ()  # what of the deck was left out or is read otherwise than it looks
    distortion: Mapping[str, float] = field(default_factory=dict)  # total harmonic distortion [1] by "table: vector"
    op_amp: str = ""  # form of the op-amps that ran: "compiled" or "lib"; empty for a deck without an opa4990

    @property
    def waveforms(self) -> Waveforms:
        """The transient, or the only plot there is.

        Raises:
            CircuitError: several plots and not one transient; choose from ``plots``.
        """
        transients = [plot for plot in self.plots if plot.scale_name == "time"]
        for group in (transients, self.plots):
            if len(group) == 1:
                return group[0]
        raise CircuitError(f"{self.deck}: the run gave {len(self.plots)} plots "
                           f"({', '.join(plot.plot for plot in self.plots)}); choose one from Result.plots")

    def measure(self, name: str) -> float:
        """Value of a measure.

        Raises:
            MeasureFailed: ngspice could not work it out, or the deck has none of that name.
        """
        key = name.lower()
        if key in self.failed_measures:
            raise MeasureFailed(f"{self.deck}: measure {key} failed: {self.failed_measures[key]}; check its condition "
                                "against the waveform")
        if key not in self.measures:
            raise MeasureFailed(f"{self.deck}: no measure {key}; the deck has {', '.join(self.measures) or 'none'}")
        return self.measures[key]
