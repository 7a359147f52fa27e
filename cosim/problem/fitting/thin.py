"""Thinning: the fewest neurons of a chain that keep its derivatives within a tolerance.

Layer by layer, what the next layer takes is a sum of the layer's neurons. The neuron whose loss costs least, after the others
have taken over what they can by least squares, is left out, then the next one, until the tolerance is used up (backward
elimination; the cost of leaving j out is w_j^2 / P_jj, P the inverse of the neurons' second moments, as in the optimal brain
surgeon of Hassibi and Stork, NeurIPS 1992, applied to a layer whose outputs are linear in its neurons).
"""

from __future__ import annotations

import numpy as np

from cosim.problem.fitting.chain import Chain

AMPLIFIER = 3e-5  # what a neuron is off on the board, part of its range: by its weight it counts as an error of the derivatives
AT_ONCE = 32  # a round leaves out one neuron in so many


def thin(chain: Chain, z: np.ndarray, slopes: np.ndarray, full_scale: np.ndarray, tolerance: float) -> Chain:
    """A chain with fewer neurons.

    Args:
        z: (m, n) points; slopes: (m, n_states) the derivatives that the chain should give there.
        full_scale: (n_states,) of the derivatives.
        tolerance: RMS error aimed at, in parts of full scale; what the chain itself is off counts.
    """
    hidden_layers = len(chain.weights) - 1
    share = tolerance / max(hidden_layers, 1) ** 0.5
    weights, biases = list(chain.weights), list(chain.biases)
    signal = z
    for number in range(hidden_layers):
        full = np.maximum(signal @ weights[number].T + biases[number], 0.0)
        last = number + 1 == hidden_layers
        if last:
            target, spread = slopes / full_scale, np.eye(len(full_scale))
        else:
            directions, spread = _directions(weights[number + 1])
            target = full @ directions.T
            importance = _importance(weights, biases, number + 1, full, spread, full_scale)
            target = target * importance
        kept, coefficients = eliminate(full, target, tolerance if last else share)
        weights[number], biases[number], signal = weights[number][kept], biases[number][kept], full[:, kept]
        constant, linear = coefficients[0], coefficients[1:]
        if last:
            weights[-1], biases[-1] = linear.T * full_scale[:, None], constant * full_scale
        else:
            scale = np.where(importance > 0, importance, 1.0)
            weights[number + 1] = spread @ (linear / scale).T
            biases[number + 1] = biases[number + 1] + spread @ (constant / scale)
    return Chain(weights=tuple(weights), biases=tuple(biases))


def eliminate(features: np.ndarray, target: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The features that a least-squares fit of a target needs.

    Args:
        features: (m, n) at m points; a constant is added to them, which stays.
        target: (m, k).
        tolerance: RMS error of the sum over the target's columns.
    Returns:
        Places of the features that are kept, at least one, and the coefficients (1 + kept, k), the constant's first.
    """
    table = np.column_stack([np.ones(len(features)), features])
    moments, cross = table.T @ table / len(table), table.T @ target / len(table)
    moments[np.diag_indices_from(moments)] += AMPLIFIER**2
    inverse = np.linalg.inv(moments)
    weights = inverse @ cross
    alive = np.ones(len(moments), dtype=bool)
    square = float(((target - table @ weights) ** 2).mean(axis=0).sum() + AMPLIFIER**2 * (weights**2).sum())
    many = True
    while alive.sum() > 2:
        cost = (weights**2).sum(axis=1) / np.diag(inverse)
        cost[~alive], cost[0] = np.inf, np.inf
        count = max(1, int(alive.sum()) // AT_ONCE) if many else 1
        count = min(count, int(alive.sum()) - 2)
        leaving = np.argsort(cost, kind="stable")[:count]
        part = np.linalg.inv(inverse[np.ix_(leaving, leaving)])
        lost = float(np.einsum("ik,ij,jk->", weights[leaving], part, weights[leaving]))
        if square + lost > tolerance**2:
            if not many or count == 1:
                break
            many = False
            continue
        taken = inverse[:, leaving] @ part
        weights, inverse = weights - taken @ weights[leaving], inverse - taken @ inverse[leaving]
        alive[leaving], square = False, square + lost
        weights[leaving], inverse[leaving, :], inverse[:, leaving] = 0.0, 0.0, 0.0
        inverse[leaving, leaving] = 1.0
    kept = np.flatnonzero(alive)
    return kept[1:] - 1, weights[kept]


def _directions(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of a weight but for their length and sign, (k, in), and what each row is in terms of them, (out, k): the
    pieces of one function differ in their bias alone."""
    lengths = np.linalg.norm(weight, axis=1)
    units = weight / np.where(lengths > 0, lengths, 1.0)[:, None]
    leading = units[np.arange(len(units)), np.abs(units).argmax(axis=1)]
    signs = np.where(leading < 0, -1.0, 1.0)
    _, first, group = np.unique(np.round(units * signs[:, None], 9), axis=0, return_index=True, return_inverse=True)
    spread = np.zeros((len(weight), len(first)))
    spread[np.arange(len(weight)), group.reshape(-1)] = lengths * signs
    return (units * signs[:, None])[first], spread


def _importance(weights: list[np.ndarray], biases: list[np.ndarray], number: int, signal: np.ndarray, spread: np.ndarray,
                full_scale: np.ndarray) -> np.ndarray:
    """(k,) RMS change of the derivatives, in parts of full scale, with each direction that layer ``number`` takes."""
    active = []
    for weight, bias in zip(weights[number:-1], biases[number:-1], strict=True):
        before = signal @ weight.T + bias
        active.append(before > 0)
        signal = np.maximum(before, 0.0)
    total = np.zeros(spread.shape[1])
    for k, scale in enumerate(full_scale):
        slope = np.broadcast_to(weights[-1][k] / scale, active[-1].shape) * active[-1]
        for weight, on in zip(weights[-2:number:-1], active[-2::-1], strict=True):
            slope = (slope @ weight) * on
        total += ((slope @ spread) ** 2).mean(axis=0)
    return np.sqrt(total)
