"""What the circuit computed, on a case's grid and in model units."""

from __future__ import annotations

import numpy as np

from circuits.board import nets
from circuits.engine.waveforms import Waveforms
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.problem.case import Case


def twin_states(waveforms: Waveforms, manifest: Manifest, case: Case) -> np.ndarray:
    """States that the circuit computed, (samples, n_states), model units, on the case's grid.

    Raises:
        ResultsError: the run ended early; a partial waveform is never compared.
        circuits.errors.MissingVector: a state line was not saved.
    """
    if waveforms.partial:
        raise ResultsError(f"case {case.name}: the simulation ended early, at {waveforms.scale[-1]:.6g} s; "
                           "a partial waveform is not compared, mend the run first")
    times = manifest.start + case.times * manifest.scales.time
    columns = [waveforms.resample(nets.state_vector(k), times) for k in range(len(case.initial))]
    return np.stack(columns, axis=1) / manifest.scales.state
