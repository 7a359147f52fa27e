"""A diagnosis in whole sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from circuits.board import nets
from cosim.diagnosis.advice import advice
from cosim.diagnosis.case_diagnosis import CaseDiagnosis
from cosim.diagnosis.horizon import LIMIT
from cosim.diagnosis.shares import Share

GROWN = 2.0  # a growth within the case that is worth a sentence
LEFT = 0.1  # of the measured error, that nothing explains and that is said
FEW = 0.05  # of the largest, below which a source is not named in a sentence


def sentences(case: CaseDiagnosis) -> list[str]:
    """How long the board is valid, what grows, what errs, and what to change."""
    return [_horizon(case), *_amplification(case), *_shares(case), *_phase(case), *_neurons(case),
            *(f"To change: {line}" for line in advice(case))]


def _horizon(case: CaseDiagnosis) -> str:
    found, state = case.horizon, nets.state_column(case.first_state)
    if not found.passed:
        return (f"The board stays within {LIMIT:.0%} of full scale for the whole run of {found.time:.4g} model s. The largest "
                f"error is {case.largest_error:.3%}, in {state}.")
    times = f", {case.lyapunov_times:.3g} Lyapunov times" if case.lyapunov_times is not None else ""
    return (f"The board is valid for {found.time:.4g} model s{times}. Then {state} is the first state to pass {LIMIT:.0%} of "
            f"full scale. The largest error of the run is {case.largest_error:.3%}.")


def _amplification(case: CaseDiagnosis) -> Iterator[str]:
    grows = case.amplification
    where = "over a long run" if grows.long_run else "along this case"
    exponent = f"largest Lyapunov exponent {grows.exponent:.3g} ± {grows.standard_error:.1g} per model s {where}"
    if grows.amplifies:
        yield f"The system itself amplifies: a small error grows e-fold in {grows.e_fold:.3g} model s ({exponent})."
    else:
        yield f"In the long run the system does not amplify errors ({exponent})."
    if grows.growth > GROWN:
        yield (f"Within the case an error made at {grows.growth_from:.4g} model s is up to {grows.growth:.3g} times as large "
               f"at {grows.growth_until:.4g} model s.")


def _shares(case: CaseDiagnosis) -> Iterator[str]:
    told = case.shares
    if told is None:
        yield f"What errs on the board cannot be told: {case.unknown}."
        return
    named = _largest_first(told.sources)
    words = ", ".join(f"{one.name} {one.alone:.3%}{' (against the others)' if one.share < 0 else ''}" for one in named)
    yield (f"Up to {told.window:.4g} model s the largest error is {told.measured:.3%} of full scale. Each imperfection of the "
           f"board by itself would lead to: {words}. The board's equations predict {told.predicted:.3%} of them together.")
    if abs(told.left) > LEFT:
        yield f"{abs(told.left):.0%} of the error is not explained by these equations."
    static = next((one for one in named if one.name == "static"), None)
    if static is not None:
        parts = ", ".join(f"{one.name} {one.alone:.3%}" for one in _largest_first(told.static))
        yield f"The static error by itself is made of: {parts}."
    if told.propagated > FEW:
        yield f"At least {told.propagated:.0%} of the error at that time the system itself has made of the board's."


def _largest_first(told: Sequence[Share]) -> list[Share]:
    """Those that count."""
    largest = max(share.alone for share in told)
    return sorted((share for share in told if share.alone > FEW * largest), key=lambda share: -share.alone)


def _phase(case: CaseDiagnosis) -> Iterator[str]:
    """Of the state with the largest error whose phase is known."""
    known = [k for k, shift in enumerate(case.shifts) if shift.phase is not None]
    if not known:
        return
    k = max(known, key=lambda state: float(np.abs(case.course.error[:, state]).max()))
    shift = case.shifts[k]
    yield (f"Of the error of {nets.state_column(k)} up to {shift.until:.4g} model s {shift.phase:.0%} is phase and "
           f"{shift.amplitude:.0%} amplitude: the board is {_late(shift.delay)} at the start and "
           f"{_late(shift.delay + shift.drift * shift.until)} at the end.")


def _late(delay: float) -> str:
    return f"{abs(delay):.2g} model s {'late' if delay >= 0 else 'early'}"


def _neurons(case: CaseDiagnosis) -> Iterator[str]:
    told = case.neurons
    if told is None:
        return
    if told.first:
        yield (f"The first neuron to part from torch by {LIMIT:.0%} of its full scale is {nets.signal_words(told.first)}, at "
               f"{told.time:.4g} model s.")
    if told.worst:
        yield (f"The neuron that errs most by itself, at the board's own states, is {nets.signal_words(told.worst)}: "
               f"{told.error:.2%} of its full scale at {told.error_time:.4g} model s.")
