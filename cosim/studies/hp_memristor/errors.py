"""The stored comparison of a case: its waveforms, and its errors told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cosim.comparison.metrics import waveform_error
from cosim.problem.case import Case


def comparison_frame(case: Case, truth: np.ndarray, reference: np.ndarray, twin: np.ndarray) -> pd.DataFrame:
    """One-state comparison as it is stored: time [s], stimulus, truth, reference, twin, all in model units.

    Args:
        truth, reference, twin: (samples,).
    """
    return pd.DataFrame({
        "time": case.times,
        "stimulus": case.inputs(case.times)[:, 0],
        "truth": truth,
        "reference": reference,
        "twin": twin,
    })


def case_errors(frame: pd.DataFrame, resnet: np.ndarray) -> dict[str, dict[str, float]]:
    """The four errors of a case, told apart.

    Returns:
        circuit_error: twin against torch; model_error: torch against truth; total_error: twin against truth;
        resnet_error: the baseline against truth; each a :class:`cosim.comparison.metrics.WaveformError` as a dict.
    """
    truth, reference, twin = (frame[name].to_numpy() for name in ("truth", "reference", "twin"))
    return {
        "circuit_error": waveform_error(reference, twin).as_dict(),
        "model_error": waveform_error(truth, reference).as_dict(),
        "total_error": waveform_error(truth, twin).as_dict(),
        "resnet_error": waveform_error(truth, resnet).as_dict(),
    }
