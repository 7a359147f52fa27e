"""What to change, each in one sentence with its figure; what the board's equations do not support is not said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log

from cosim.diagnosis.case_diagnosis import CaseDiagnosis
from cosim.diagnosis.horizon import LIMIT
from cosim.diagnosis.other_speeds import Speed

ALIKE, ALIKE_ERRORS = 1.05, 1.25  # ratio of two times to a limit, and of two largest errors, that are nearly equal
LONGER, SMALLER = 1.1, 0.8  # horizon and largest error of another speed, against the present one, that are worth a change
DOUBTED = 0.25  # of the measured error, left unexplained, above which an advice that rests on the equations says so
GOOD = 2e-3  # of full scale, a largest error that needs no advice
NOT_TRIMMED = "conductances"  # part of the static error that is not the same on every board of a network
REMEDIES = {  # of the static error's parts, besides the trim
    "curved cells": "half the line voltage, Options(ranges=Ranges(line=0.1)), halves it",
    "integrator leakage": "it falls in proportion to time_scale",
    NOT_TRIMMED: "`cosim inspect` lists programming errors and weights that the window did not allow, which are in it",
}
TRIM = "a trim, `cosim compile --trim` or Options(trim=True), takes most of it out where the calibration covers the run"
NO_MORE = "no option takes more of it out"
SMALL = 1e-3  # of full scale, the error that a good board makes; an example in a sentence


def advice(case: CaseDiagnosis) -> list[str]:
    """Sentences for one case, what to do first first."""
    if not case.overdriven and case.largest_error <= GOOD:
        return [f"Nothing needs a change: the largest error is {case.largest_error:.3%} of full scale."]
    return [*_range(case), *_speed(case), *_static(case), *_growth(case)]


def _range(case: CaseDiagnosis) -> Iterator[str]:
    for signal in case.overdriven:
        yield (f"Calibrate with samples in which {signal.name} reaches {signal.reaches:.3g} model units. The present ones end "
               f"at about {signal.calibrated:.3g}, so that its line has to carry {signal.volts:.2f} V, while its linear range "
               f"ends at {signal.limit:g} V.")


def best_speed(case: CaseDiagnosis) -> Speed | None:
    """The speed that is worth a change, of nearly equal ones that which is nearest to the present one.

    Returns:
        None: the present one is as good, or nothing is known.
    """
    if not case.speeds or case.overdriven:
        return None
    now, *others = case.speeds
    others = [speed for speed in others if speed.reach >= now.reach / ALIKE and speed.largest <= ALIKE * now.largest]
    if not others:
        return None
    longest, smallest = max(speed.reach for speed in others), min(speed.largest for speed in others)
    if longest >= LONGER * now.reach:
        return _nearest(now, [speed for speed in others if speed.reach >= longest / ALIKE])
    if smallest <= SMALLER * now.largest:
        return _nearest(now, [speed for speed in others if speed.largest <= smallest * ALIKE_ERRORS])
    return None


def _nearest(now: Speed, speeds: Sequence[Speed]) -> Speed:
    """In time scale; of two with the same, that with the smaller error."""
    return min(speeds, key=lambda speed: (abs(log(speed.time_scale / now.time_scale)), speed.largest))


def _speed(case: CaseDiagnosis) -> Iterator[str]:
    best = best_speed(case)
    if best is None:
        return
    now, changes = case.speeds[0], []
    if best.time_scale != now.time_scale:
        changes.append(f"time_scale = {best.time_scale:.3g} instead of {now.time_scale:.3g}")
    if best.lead != now.lead:
        changes.append(f"lead = {best.lead:.3g} s instead of {now.lead:.3g} s")
    yield (f"Compile with {' and '.join(changes)}. The board's equations then give a largest error of {best.largest:.2%} of "
           f"full scale up to {case.shares.window:.4g} model s, where they now give {now.largest:.2%}{_longer(now, best)}.")
    if abs(case.shares.left) > DOUBTED:
        yield (f"Simulate before you rely on that: the equations leave {abs(case.shares.left):.0%} of the present error "
               "unexplained.")


def _longer(now: Speed, best: Speed) -> str:
    """What the horizon gains, where it does."""
    if not now.horizon.passed:
        return ""
    if not best.horizon.passed:
        return f"; and they let it be valid for the whole run, now for {now.horizon.time:.3g} model s"
    if best.horizon.time <= now.horizon.time:
        return ""
    return f"; and they let it be valid for {best.horizon.time:.3g} model s, now for {now.horizon.time:.3g} model s"


def _static(case: CaseDiagnosis) -> Iterator[str]:
    if case.shares is None or case.shares.largest.name != "static":
        return
    static = case.shares.largest
    part = max(case.shares.static, key=lambda share: share.alone)
    remedies = [TRIM] if part.name != NOT_TRIMMED and not case.corrected else []
    remedies += [REMEDIES[part.name]] if part.name in REMEDIES else []
    remedy = "; ".join(remedies or [NO_MORE])
    yield (f"The static error, which is there even when no signal moves, by itself leads to {static.alone:.2%} of full scale "
           f"by {case.shares.window:.4g} model s. Its largest part is {part.name}, {part.alone:.2%}; {remedy}.")


def _growth(case: CaseDiagnosis) -> Iterator[str]:
    grows = case.amplification
    if grows.amplifies:
        yield (f"The system amplifies errors e-fold in {grows.e_fold:.3g} model s. Whatever the board, an error of {SMALL:.1%} "
               f"of full scale passes {LIMIT:.0%} after about {grows.until(SMALL, LIMIT):.3g} model s, and a board that errs "
               f"ten times less is valid for {log(10) * grows.e_fold:.3g} model s more.")
