"""One case of a board against torch: waveforms on its grid, errors of every state, lines that left their linear range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits
from cosim.comparison.metrics import mean_relative_error, waveform_error
from cosim.problem.reference import author_reference, reference
from cosim.simulation.twin_states import twin_states

if TYPE_CHECKING:
    from cosim.comparison.stored_runs import StoredRun


OF_FITTED = tuple(f"{share}_{figure}" for share in ("circuit", "substitution") for figure in ("mre", "max_error"))
AGAINST_TRUTH = tuple(f"{kind}_{figure}" for kind in ("model", "total") for figure in ("mre", "max_error", "l1", "rmse", "max"))


@dataclass(frozen=True, kw_only=True)
class StateError:
    """How far a state of the board is from torch in one case; None where torch rests at 0, so that no part has a meaning.

    Torch is the author's own module. Where the network was fitted, the same is told of its two shares: the circuit error is the
    board against the fitted network, the substitution error is the fitted network against the author's module. Where the truth
    is known there is also how far torch is from it (the model error), and how far the board is from it (the total error). Their
    parts of full scale are parts of the truth's.
    """

    mre: float | None  # mean relative error, dimensionless; see cosim.comparison.metrics.WaveformError
    max_error: float | None  # largest error, part of full scale
    full_scale: float  # model units, largest magnitude in torch
    l1: float  # model units, mean absolute error
    rmse: float  # model units
    max: float  # model units, largest error
    dtw: float | None  # model units, dynamic time warping distance
    dtw_per_step: float | None  # model units
    circuit_mre: float | None = None  # shares of a fitted network; None: it was not fitted
    circuit_max_error: float | None = None  # part of full scale
    substitution_mre: float | None = None
    substitution_max_error: float | None = None  # part of full scale
    model_mre: float | None = None  # torch against the truth; None: the truth is not known, or rests at 0
    model_max_error: float | None = None
    model_l1: float | None = None  # model units, as the two after it; None: the truth is not known
    model_rmse: float | None = None
    model_max: float | None = None
    total_mre: float | None = None  # the board against the truth
    total_max_error: float | None = None
    total_l1: float | None = None
    total_rmse: float | None = None
    total_max: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseComparison:
    """One case: waveforms on its grid, errors, and the lines that left their linear range."""

    run: StoredRun
    reference: np.ndarray  # (samples, n_states) model units, torch
    twin: np.ndarray  # (samples, n_states) model units, the circuit
    errors: tuple[StateError, ...]  # one per state
    clamp_hits: dict[str, dict[str, float]]  # see cosim.comparison.clamp_hits
    fitted: np.ndarray | None = None  # (samples, n_states) model units, the fitted network; None: it was not fitted
    truth: np.ndarray | None = None  # (samples, n_states) model units, what the system really does; None: not known

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """What there is to draw: truth and fitted (where there are such), reference and twin, (samples, n_states) model units
        each."""
        known = {name: curve for name, curve in (("truth", self.truth), ("fitted", self.fitted)) if curve is not None}
        return known | {"reference": self.reference, "twin": self.twin}

    @property
    def label(self) -> str:
        return self.run.label

    @property
    def times(self) -> np.ndarray:
        """(samples,) model seconds."""
        return self.run.compiled.cases[self.run.case].times


def compare_run(run: StoredRun) -> CaseComparison:
    """Compare a simulated case with the torch solution of the network that its deck was compiled from."""
    case, network = run.compiled.cases[run.case], run.compiled.network
    expected = author_reference(network, case)
    got = twin_states(run.waveforms, run.compiled.manifest, case)
    fitted = None if network.fitted is None else reference(network, case)
    truth = run.compiled.truth(run.case)
    errors = [state_error(expected[:, k], got[:, k], None if truth is None else truth[:, k]) for k in range(expected.shape[1])]
    if fitted is not None:
        errors = [_with_shares(error, expected[:, k], fitted[:, k], got[:, k]) for k, error in enumerate(errors)]
    return CaseComparison(run=run, reference=expected, twin=got, errors=tuple(errors), fitted=fitted, truth=truth,
                          clamp_hits=clamp_hits(run.waveforms, CLAMP_ONSET))


def _with_shares(error: StateError, expected: np.ndarray, fitted: np.ndarray, got: np.ndarray) -> StateError:
    circuit, substitution = state_error(fitted, got), state_error(expected, fitted)
    return replace(error, circuit_mre=circuit.mre, circuit_max_error=circuit.max_error, substitution_mre=substitution.mre,
                   substitution_max_error=substitution.max_error)


def state_error(expected: np.ndarray, got: np.ndarray, truth: np.ndarray | None = None) -> StateError:
    """Errors of one state; (samples,) model units each.

    Args:
        expected: torch.
        got: the circuit.
        truth: what the system really does; None: not known.
    """
    if truth is not None:
        figures = {f"{kind}_{name}": value for kind, curve in (("model", expected), ("total", got))
                   for name, value in _against_truth(truth, curve).items()}
        return replace(state_error(expected, got), **figures)
    full_scale = float(np.abs(expected).max())
    if full_scale == 0:
        off = np.abs(got)
        return StateError(mre=None, max_error=None, full_scale=0.0, l1=float(off.mean()), max=float(off.max()),
                          rmse=float(np.sqrt(np.mean(off**2))), dtw=None, dtw_per_step=None)
    error = waveform_error(expected, got)
    return StateError(mre=error.mre, max_error=error.max / full_scale, full_scale=full_scale, l1=error.l1, rmse=error.rmse,
                      max=error.max, dtw=error.dtw, dtw_per_step=error.dtw_per_step)


def _against_truth(truth: np.ndarray, curve: np.ndarray) -> dict[str, float | None]:
    """Figures of a StateError that are told of the model and of the total error; None where the truth rests at 0."""
    error, full_scale = np.abs(curve - truth), float(np.abs(truth).max())
    return {"mre": mean_relative_error(truth, curve) if full_scale else None,
            "max_error": float(error.max()) / full_scale if full_scale else None,
            "l1": float(error.mean()), "rmse": float(np.sqrt(np.mean(error**2))), "max": float(error.max())}
