"""What a simulation of a compiled network gave: node voltages on the disk, states in model units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork
from cosim.simulation.decks import read_vectors
from cosim.simulation.twin_states import twin_states

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """Waveforms of every case of a compiled network."""

    compiled: CompiledNetwork
    fidelity: str  # "flat", "macro" or "behavioural"
    vectors: Mapping[str, Path]  # case -> Parquet file of its node voltages
    measures: Mapping[str, Mapping[str, float]]  # case -> results of its deck's .meas cards, SI units

    def waveforms(self, case: str) -> Waveforms:
        """Node voltages [V] over circuit time [s].

        Raises:
            ResultsError: there is no such case, or its file is damaged.
        """
        self._check(case)
        return read_vectors(self.vectors[case])

    def states(self, case: str) -> np.ndarray:
        """States (samples, n_states), model units, on the case's grid.

        Raises:
            ResultsError: there is no such case, or its run ended early.
        """
        return twin_states(self.waveforms(case), self.compiled.manifest, self.compiled.cases[case])

    def to_frame(self) -> pd.DataFrame:
        """States of every case in model units: columns case, time (model s), x0, x1, ..."""
        frames = []
        for name in self.vectors:
            states = self.states(name)
            frames.append(pd.DataFrame({"case": name, "time": self.compiled.cases[name].times}
                                       | {nets.state_column(k): states[:, k] for k in range(states.shape[1])}))
        return pd.concat(frames, ignore_index=True)

    def to_xarray(self) -> xarray.DataTree:
        """A dataset per case: ``states`` (time, state) in model units, time in model seconds."""
        import xarray

        names = [nets.state_column(k) for k in range(self.compiled.board.n_states)]
        return xarray.DataTree.from_dict({
            name: xarray.Dataset({"states": (("time", "state"), self.states(name), {"units": "model units"})},
                                 coords={"time": ("time", self.compiled.cases[name].times, {"units": "model s"}),
                                         "state": names})
            for name in self.vectors})

    def plot(self):
        """States of every case, a matplotlib figure."""
        from cosim.report.state_curves import state_curves

        return state_curves({name: (self.compiled.cases[name].times, {"twin": self.states(name)}) for name in self.vectors})

    def _check(self, case: str) -> None:
        if case not in self.vectors:
            raise ResultsError(f"no case {case!r} was simulated; there are {', '.join(self.vectors)}")

    def __repr__(self) -> str:
        return f"<Simulation of {self.compiled.subject!r}, {self.fidelity}: {', '.join(self.vectors)}>"

    def _repr_html_(self) -> str:
        rows = pd.DataFrame([{"case": name, "samples": self.compiled.cases[name].samples, "file": str(path)}
                             for name, path in self.vectors.items()])
        return (f"<p><b>{escape(self.compiled.subject)}</b>, {escape(self.fidelity)}</p>"
                f"{rows.to_html(index=False, border=0)}")
