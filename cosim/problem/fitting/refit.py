"""The last layer of a chain, chosen so that the chain's own runs follow the module's.

A small error d(t) of the derivatives moves a run by e(t), de/dt = J(t) e + d(t), J the module's Jacobian along its run. d is
linear in the last layer's weights, so e is too, and least squares finds the weights whose errors cancel along the runs while
they and the weights themselves stay small in the whole region. Sums over the samples are trapezoidal; what they miss, a second
round with the chain's true runs takes out (Gauss-Newton).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.board import nets
from cosim.problem.fitting.chain import Chain, Feed
from cosim.problem.fitting.region import ATOL, RTOL, Path, Region
from cosim.problem.fitting.thin import AMPLIFIER
from training.errors import SolverError
from training.integrate import integrate

MOST_UNKNOWNS = 2500  # weights of the last layer; with more, only the region counts
HOLD = 1e-4  # weight of the change itself against errors at their limits
ROUNDS = 2  # Gauss-Newton steps with true runs
HOPELESS = 20.0  # times the limit: a run that is off by more is not nearly linear in the weights
UNDERSTATED = 2.0  # times the limit: what the linear estimate may be and still be worth a run


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A chain, and how far it is off."""

    chain: Chain
    derivative: float  # RMS error of the worst state over points that were not fitted, part of its full scale
    run: float  # MRE of the worst state of the worst case; infinite where a run leaves the finite numbers
    worst: str  # case and state of it
    errors: tuple[np.ndarray, ...]  # (samples, n_states) chain less module, of each case; of none where a run is not finite

    @property
    def error(self) -> float:
        """The larger of both."""
        return max(self.derivative, self.run)


class Refit:
    """Last layers for one region."""

    def __init__(self, region: Region, feed: Feed, error: float):
        """``feed`` makes the chain's inputs of the module's columns; ``error``: limit, part of the whole."""
        self.region, self.feed, self.error = region, feed, error
        self.points = feed(region.fitted.times, region.fitted.columns)
        self.held_out = feed(region.held_out.times, region.held_out.columns)
        self.along = [feed(path.case.times, path.columns) for path in region.paths]

    def improved(self, chain: Chain, tolerance: float) -> Judged | None:
        """The chain with the last layer that serves the runs best; None where even the estimate is far beyond the error.

        Args:
            tolerance: RMS error of the derivatives that the chain was thinned to, part of full scale.
        """
        if chain.weights[-1].size + chain.biases[-1].size > MOST_UNKNOWNS:
            return self.judge(chain)
        chain, estimate = self._step(chain, tolerance, None)
        if estimate > UNDERSTATED * self.error:
            return None
        best = self.judge(chain)
        for _ in range(ROUNDS):
            if best.error <= self.error or not best.run < HOPELESS * self.error:
                break
            other = self.judge(self._step(best.chain, tolerance, best.errors)[0])
            if other.run >= best.run:
                break
            best = other
        return best

    def judge(self, chain: Chain) -> Judged:
        """Errors of a chain, its cases solved."""
        off = (chain(self.held_out) - self.region.held_out.slopes) / self.region.full_scale
        derivative = float(np.sqrt((off**2).mean(axis=0)).max())
        errors, run, worst = [], -1.0, ""
        for path in self.region.paths:
            try:
                errors.append(self._solve(chain, path) - path.states)
            except SolverError:
                return Judged(chain=chain, derivative=derivative, run=np.inf, worst=f"case {path.case.name}", errors=())
            relative = (np.abs(errors[-1]) / path.floors).mean(axis=0)
            if relative.max() > run:
                run, worst = float(relative.max()), f"case {path.case.name}, state {nets.state_column(int(relative.argmax()))}"
        return Judged(chain=chain, derivative=derivative, run=run, worst=worst, errors=tuple(errors))

    def _solve(self, chain: Chain, path: Path) -> np.ndarray:
        case = path.case
        breakpoints = {float(t) for stimulus in case.stimuli for t in stimulus.breakpoints(case.duration)}
        places = nets.column_places(self.region.columns, len(case.stimuli))

        def slope(t: float, y: np.ndarray) -> np.ndarray:
            columns = np.take([*(stimulus(t) for stimulus in case.stimuli), *y], places)
            return chain(self.feed.at(t, columns))

        return integrate(slope, np.array(case.initial), case.times, breakpoints=sorted(breakpoints), rtol=RTOL, atol=ATOL)

    def _step(self, chain: Chain, tolerance: float, errors: Sequence[np.ndarray] | None) -> tuple[Chain, float]:
        """One least-squares step, and the MRE of the worst state that it leaves by the linear estimate.

        Unknowns are the changes of [bias, weights] of every state, in parts of its full scale, states first.

        Args:
            errors: true errors of the chain's runs; None: by the linear estimate as well.
        """
        scale, n_states = self.region.full_scale, len(self.region.full_scale)
        features = _with_one(chain.hidden(self.points))
        off = (chain(self.points) - self.region.fitted.slopes) / scale
        moments = features.T @ features / len(features) / tolerance**2
        normal = np.kron(np.eye(n_states), moments)
        normal[np.diag_indices_from(normal)] += HOLD**2
        right = -(off.T @ features / len(features) / tolerance**2).reshape(-1)
        rows, before = [], []
        count = sum(len(path.states) for path in self.region.paths)
        for number, (path, z) in enumerate(zip(self.region.paths, self.along, strict=True)):
            now = _moved_by(path, chain(z) - path.slopes) if errors is None else errors[number]
            before.append(now / path.floors / self.error)
            rows.append(_moved_by_weights(path, _with_one(chain.hidden(z)), scale) / path.floors[:, :, None] / self.error)
            flat = rows[-1].reshape(-1, len(normal))
            normal += flat.T @ flat / count
            right -= flat.T @ before[-1].reshape(-1) / count
        # A neuron that is off by AMPLIFIER moves as much as a constant does, by its weight.
        ridge = AMPLIFIER**2 * np.repeat(np.diag(normal)[:: features.shape[1]], features.shape[1])
        ridge[:: features.shape[1]] = 0.0
        normal[np.diag_indices_from(normal)] += ridge
        right -= ridge * (np.column_stack([chain.biases[-1], chain.weights[-1]]) / scale[:, None]).reshape(-1)
        change = np.linalg.solve(normal, right)
        left = max(float(np.abs(now + row @ change).mean(axis=0).max()) for now, row in zip(before, rows, strict=True))
        change = change.reshape(n_states, -1) * scale[:, None]
        return chain.with_last(chain.weights[-1] + change[:, 1:], chain.biases[-1] + change[:, 0]), left * self.error


def _with_one(features: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(features)), features])


def _propagators(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Of the trapezoidal rule from each sample to the next, (samples - 1, n, n): what carries an error on, and what the sum of
    the derivatives' errors at both adds."""
    half = np.diff(path.case.times)[:, None, None] / 2
    unit = np.eye(path.jacobians.shape[1])
    ahead = np.linalg.inv(unit - half * path.jacobians[1:])
    return ahead @ (unit + half * path.jacobians[:-1]), ahead * half


def _moved_by(path: Path, off: np.ndarray) -> np.ndarray:
    """(samples, n_states) error of a run whose derivatives are off by (samples, n_states)."""
    carry, add = _propagators(path)
    moved = np.zeros_like(off)
    for k in range(len(off) - 1):
        moved[k + 1] = carry[k] @ moved[k] + add[k] @ (off[k] + off[k + 1])
    return moved


def _moved_by_weights(path: Path, features: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(samples, n_states, n_states * width) change of a run with every weight of the last layer."""
    carry, add = _propagators(path)
    n_states, width = len(scale), features.shape[1]
    moved = np.zeros((len(features), n_states, n_states, width))  # of state i with the weights of state j
    for k in range(len(features) - 1):
        pushed = (add[k] * scale)[:, :, None] * (features[k] + features[k + 1])
        moved[k + 1] = np.tensordot(carry[k], moved[k], axes=1) + pushed
    return moved.reshape(len(features), n_states, n_states * width)
