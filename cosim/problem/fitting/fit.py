"""A module that is not piecewise linear, as the smallest ReLU network found that keeps a stated error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cosim.console import Progress
from cosim.errors import UnsupportedModelError
from cosim.problem.as_called import with_time_inputs
from cosim.problem.case import Case
from cosim.problem.fitted import Fitted
from cosim.problem.fitting.chain import Chain, Feed
from cosim.problem.fitting.options import LARGEST_ERROR, Fit
from cosim.problem.fitting.refit import Judged, Refit
from cosim.problem.fitting.region import Region, near_samples, survey
from cosim.problem.fitting.thin import eliminate, thin
from cosim.problem.fitting.trained import train
from cosim.problem.lowering.jumps import check_continuous
from cosim.problem.lowering.layers import lay
from cosim.problem.lowering.lower import check_operations, lower
from cosim.problem.lowering.pieces import Pieces
from cosim.problem.lowering.program import TIME, refs_of
from cosim.problem.lowering.record import record
from cosim.problem.lowering.repeats import without_repeats
from cosim.problem.network import Network, network_of

TOLERANCES = (1.0, 0.84, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.18, 0.12, 0.08)  # of the error: to what it is thinned, in turn
PIECES = (2e-3, 5e-4, 1.25e-4)  # tolerances of a function's pieces, part of its own range of values
DENSE = 0.5  # of the error: what a chain may be off before it is thinned, else more pieces are taken
MOST_PIECES = 3000  # neurons before thinning, which takes time with their cube
POINTS_PER_NEURON = 4  # before thinning
WIDTHS = ((24,), (24, 24), (48, 48))  # hidden layers that are trained where nothing else is asked for


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A chain that was tried."""

    method: str  # see cosim.problem.fitted
    feed: Feed
    judged: Judged


def fit_network(module: Callable[..., Tensor], columns: tuple[str, ...], inputs: np.ndarray, states: np.ndarray,
                cases: Sequence[Case], fit: Fit, progress: Progress | None = None) -> Network:
    """Fit a module on the region that its runs visit; the same network for the same arguments.

    Args:
        columns: what each number that the module takes is.
        inputs: (m, n_external) and states: (m, n_states), calibration samples, model units.
        cases: the runs that the board shall do.
        progress: called with (what is being done, part done).
    Raises:
        UnsupportedModelError: it cannot be called, or no network that was tried keeps the error; says what the best reached.
        training.errors.SolverError: the module itself has no solution of a case.
    """
    name = type(module).__name__
    program = without_repeats(record(module, len(columns), states.shape[1]))
    check_operations(program, name)
    check_continuous(program, near_samples(program, columns, inputs, states, cases), name)  # before its runs, which may chatter
    region = survey(program, columns, inputs, states, cases, margin=fit.margin, seed=fit.seed)
    best: Candidate | None = None
    reasons: list[str] = []
    for candidate in _candidates(region, fit, name, reasons, progress):
        if best is None or candidate.judged.error < best.judged.error:
            best = candidate
        if candidate.judged.error <= fit.error:
            return _network(candidate, region, fit, inputs.shape[1])
    raise UnsupportedModelError(_failure(name, fit, best.judged, reasons))


def _network(candidate: Candidate, region: Region, fit: Fit, n_external: int) -> Network:
    judged, feed = candidate.judged, candidate.feed
    chain = judged.chain.levelled(feed(region.fitted.times, region.fitted.columns))
    as_called, laid = with_time_inputs(region.program, region.columns, feed.time_signals, chain.laid)
    return network_of(as_called, laid, n_external, Fitted(
        method=candidate.method, error=fit.error, derivative_error=judged.derivative, run_error=judged.run, worst=judged.worst,
        seed=fit.seed, margin=fit.margin))


def _candidates(region: Region, fit: Fit, name: str, reasons: list[str], progress: Progress | None) -> Iterator[Candidate]:
    """Chains in pieces, then trained ones; of each, those with few neurons first. Why there are none in pieces is added to
    the reasons."""
    if fit.widths is not None:
        chain, refit = _train(region, fit, fit.widths, progress)
        judged = refit.improved(chain, fit.error) or refit.judge(chain)
        yield Candidate(method="trained", feed=refit.feed, judged=judged)
        return
    for chain, refit in _in_pieces(region, fit, name, reasons, progress):
        for judged in _thinned(chain, refit, fit, progress):
            yield Candidate(method="pieces", feed=refit.feed, judged=judged)
    for widths in WIDTHS:
        chain, refit = _train(region, fit, widths, progress)
        for judged in _thinned(chain, refit, fit, progress):
            yield Candidate(method="trained", feed=refit.feed, judged=judged)


def _in_pieces(region: Region, fit: Fit, name: str, reasons: list[str],
               progress: Progress | None) -> Iterator[tuple[Chain, Refit]]:
    """The module with each smooth function in pieces, more of them where few are not close enough; nothing where a step is
    neither a function of one number nor a product."""
    program = region.program
    samples = program.batch(region.fitted.times, region.fitted.columns)
    for tolerance in PIECES:
        if progress is not None:
            progress("fitting, functions in pieces", 0.0)
        try:
            lowered = lower(program, len(region.columns), name, Pieces(program=program, samples=samples, tolerance=tolerance))
        except UnsupportedModelError as error:  # a trained network may do
            reasons.append(str(error))
            return
        if len(lowered.basis.neurons) > MOST_PIECES:
            reasons.append(f"{len(lowered.basis.neurons)} neurons in pieces, more than the {MOST_PIECES} that are thinned")
            return
        chain = Chain.of(lay(lowered))
        larger = region.with_points(max(len(region.fitted.times), POINTS_PER_NEURON * chain.neurons))
        refit = Refit(larger, Feed(program=program, time_signals=lowered.time_signals), fit.error)
        chain = chain.levelled(refit.points)
        if tolerance == PIECES[-1] or _least_error(chain, refit) <= DENSE * fit.error:
            yield chain, refit


def _least_error(chain: Chain, refit: Refit) -> float:
    """RMS error of the derivatives with the best last layer, part of full scale."""
    features, target = chain.hidden(refit.points), refit.region.fitted.slopes / refit.region.full_scale
    kept, coefficients = eliminate(features, target, 0.0)
    off = target - coefficients[0] - features[:, kept] @ coefficients[1:]
    return float(np.sqrt((off**2).mean(axis=0).sum()))


def _train(region: Region, fit: Fit, widths: Sequence[int], progress: Progress | None) -> tuple[Chain, Refit]:
    """A trained chain; of time it knows where the module does."""
    refit = Refit(region, Feed(program=region.program), fit.error)
    timed = TIME in {ref for step in region.program.steps for ref in refs_of(step)}
    z = refit.points if timed else refit.points[:, :-1]
    chain = train(z, region.fitted.slopes, region.full_scale, widths, fit.seed, progress)
    if not timed:
        chain = Chain(weights=(np.pad(chain.weights[0], ((0, 0), (0, 1))), *chain.weights[1:]), biases=chain.biases)
    return chain.levelled(refit.points), refit


def _thinned(chain: Chain, refit: Refit, fit: Fit, progress: Progress | None) -> Iterator[Judged]:
    """The chain thinned less and less, each time with the last layer that serves the runs best."""
    region, neurons = refit.region, 0
    for number, part in enumerate(TOLERANCES):
        if progress is not None:
            progress(f"fitting, thinning {chain.neurons} neurons", number / len(TOLERANCES))
        thinned = thin(chain, refit.points, region.fitted.slopes, region.full_scale, part * fit.error)
        if thinned.neurons == neurons:
            continue
        neurons = thinned.neurons
        last = neurons == chain.neurons or part == TOLERANCES[-1]
        judged = refit.improved(thinned.levelled(refit.points), part * fit.error)
        if judged is None and last:
            judged = refit.judge(thinned)
        if judged is not None:
            yield judged
        if last:
            return


def _failure(name: str, fit: Fit, best: Judged, reasons: Sequence[str]) -> str:
    runs = f"its runs are off by {best.run:.3%} (MRE, {best.worst})" if np.isfinite(best.run) else \
        f"its run of {best.worst} leaves the finite numbers"
    mends = [f"allow an error of {min(1.1 * best.error, LARGEST_ERROR):.2g} (Fit(error=...), or --fit)"] if (
        best.error < LARGEST_ERROR) else []
    mends.append("make the cases shorter, since errors grow along a run" if best.run > best.derivative else
                 "calibrate a smaller region")
    if fit.widths is not None:
        mends.append("give larger widths, or none")
    hidden = "-".join(map(str, best.chain.widths[1:-1]))
    return (f"model {name}: no ReLU network that was tried keeps an error of {fit.error:.3%}; the best has {hidden} hidden "
            f"neurons, its derivatives are off by {best.derivative:.3%} of full scale (RMS) and {runs}; {', or '.join(mends)}"
            f"{'' if not reasons else f' (not made of pieces: {reasons[0]})'}")
