"""Rows of metrics.json: what is compared of a case of the HP study."""

from __future__ import annotations

import pandas as pd

from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits
from cosim.folder.compiled import CompiledNetwork
from cosim.problem.reference import reference
from cosim.simulation.decks import frame_to_waveforms
from cosim.simulation.twin_states import twin_states
from cosim.studies.hp_memristor.errors import case_errors, comparison_frame
from cosim.studies.hp_memristor.experiment import hp_truth, resnet_states
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths


def case_rows(drive: str, stimulus: str, compiled: CompiledNetwork, vectors: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    """Waveforms on the grid of a case, and its row: the four errors, told apart, and the clamp hits.

    Args:
        vectors: stored node voltages [V].
    Returns:
        Columns time [s], stimulus, truth, reference, twin in model units; one row.
    """
    case, waveforms = compiled.cases[stimulus], frame_to_waveforms(vectors)
    states = twin_states(waveforms, compiled.manifest, case)[:, 0]
    frame = comparison_frame(case, hp_truth(drive, case), reference(compiled.network, case)[:, 0], states)
    resnet = load(checkpoint_paths(drive)[1]).net
    row = {"drive": drive, "stimulus": stimulus, "fidelity": compiled.fidelity}
    row |= case_errors(frame, resnet_states(resnet, case))
    row |= {"clamp_hits": clamp_hits(waveforms, CLAMP_ONSET)}
    return frame, [row]
