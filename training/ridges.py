"""A network with one hidden layer, fitted by least squares to the samples of a trajectory: every neuron lies on a ridge.

A ridge is a function of one number, phi(a . x). A field that is nearly quadratic is a sum of few of them. The eigenvectors of
the Hessian of each derivative, its principal Hessian directions (Li, J. Am. Stat. Assoc. 87, 1025 (1992)), give the directions
a, and along each of them ReLU neurons with kinks side by side make a piecewise linear phi. The error falls with the square of
the number of kinks. Gradient descent on all weights leaves as many neurons at ten times the error, because it does not find the
directions, and takes minutes where this takes seconds.

The steps, from the samples alone:

1. A spline of degree 7 through the samples gives dx/dt at every one.
2. Least squares of all monomials up to degree 2. A ring of equals shares one set of coefficients.
3. The eigenvectors of the Hessian whose eigenvalue counts become directions; along each, kinks are spread over the samples.
4. Least squares of the output weights against the field of step 2, at the samples and around them.

Step 2 is all that is known of the system beforehand: its field is close to a quadratic. Where it is one, as Lorenz96's is,
least squares finds the equation itself, and what limits the network is its number of neurons. The validation error tells where
it is not; such a system is trained by shooting (`training.shooting`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import make_interp_spline
from torch import nn

from training.errors import TrainingError
from training.models.neural_ode import derivative_network

SPLINE_DEGREE = 7  # at 0.02 time units a sample its slopes are off by 5e-6 of a Lorenz96 ring's; a quintic's by ten times that
CUMULATIVE = 60  # bins of the histogram that spreads the kinks
RARE = 1e-3  # of an even histogram, added to each bin, so that kinks reach the ends of the range
MARGIN = 0.3  # of a signal's lowest value, by which a neuron that must always be on stays above its kink


@dataclass(frozen=True, kw_only=True)
class RidgeRecipe:
    """Everything that decides the weights, apart from the data."""

    kinks: tuple[int, ...] = (20, 30, 40, 60)  # along each direction, tried in this order
    wanted: float = 1e-2  # model units per time unit, RMS error of a slope on the validation samples at which the search ends
    validation: int = 300  # samples at the end of the training span that the weights never see
    jitter: float = 0.05  # standard deviation of the points around the samples, as a part of the samples' own
    copies: int = 2  # points around each sample
    counts: float = 1e-3  # part of the largest eigenvalue below which a direction is left out
    least_range: float = 0.25  # part of the widest neuron's range: narrower neurons are not scaled up further
    seed: int = 0  # of the points around the samples

    def __post_init__(self):
        if not self.kinks or min(self.kinks) < 2 or self.wanted <= 0:
            raise TrainingError(f"kinks = {self.kinks}, wanted = {self.wanted}; give 2 kinks or more, and an error above 0")


@dataclass(frozen=True, kw_only=True)
class RidgeFit:
    """The network in model units, and what the samples say of it."""

    net: nn.Sequential  # Linear, ReLU, Linear
    kinks: int  # along each direction
    directions: int  # per site
    quadratic_error: float  # model units per time unit: RMS residual of the quadratic field on the samples
    validation_error: float  # model units per time unit: RMS error of a slope on the validation samples


def fit_ridges(time: np.ndarray, state: np.ndarray, recipe: RidgeRecipe | None = None) -> RidgeFit:
    """Fit dx/dt = net(x) to a trajectory of a ring of equal sites.

    Args:
        time: (m,) [time units], evenly spaced, the training span alone.
        state: (m, d) [model units] at these times.
        recipe: what decides the weights.
    Returns:
        The network with the fewest kinks that reaches the wanted error on the validation samples, else the one with most.
    Raises:
        TrainingError: shapes that do not fit, too few samples, or a field without curvature.
    """
    recipe = recipe or RidgeRecipe()
    seen = len(time) - recipe.validation
    if state.shape != (len(time), state.shape[-1]) or recipe.validation < SPLINE_DEGREE + 1 or seen < 100:
        raise TrainingError(f"times {np.shape(time)}, states {state.shape}, {recipe.validation} of them for validation; leave "
                            f"100 samples or more to fit, {SPLINE_DEGREE + 1} or more to validate")
    d = state.shape[1]
    slope = make_interp_spline(time[:seen], state[:seen], k=SPLINE_DEGREE).derivative()(time[:seen])
    samples = np.concatenate([np.roll(state[:seen], -site, axis=1) for site in range(d)])  # as each site sees the ring
    monomials = _Quadratic(d)
    coefficients, *_ = np.linalg.lstsq(monomials(samples), slope.T.reshape(-1), rcond=None)
    residual = monomials(samples) @ coefficients - slope.T.reshape(-1)
    size, vectors = np.linalg.eigh(monomials.hessian(coefficients))
    kept = np.abs(size) > recipe.counts * np.abs(size).max()
    if not np.abs(size).max() * samples.var() > 1e-6 * slope.std():
        raise TrainingError("the samples' slopes are an affine function of the states, without curvature; one Linear fits them")
    directions = vectors[:, kept].T
    directions[np.abs(directions) < 1e-4] = 0.0  # what rounding leaves; a weight that small is lost on an array
    draw = np.random.default_rng(recipe.seed)
    around = [samples + recipe.jitter * samples.std() * draw.normal(size=samples.shape) for _ in range(recipe.copies)]
    points = np.concatenate([samples, *around])
    wanted = monomials(points) @ coefficients
    held_out = make_interp_spline(time[seen:], state[seen:], k=SPLINE_DEGREE).derivative()(time[seen:])
    inner = slice(SPLINE_DEGREE, -SPLINE_DEGREE)  # the spline's ends are less good than the network
    for kinks in recipe.kinks:
        net = _ring(d, *_site(points, wanted, directions, kinks, recipe))
        with torch.no_grad():
            error = net(torch.from_numpy(state[seen:])).numpy() - held_out
        reached = float(np.sqrt(np.square(error[inner]).mean()))
        if reached <= recipe.wanted:
            break
    return RidgeFit(net=net, kinks=kinks, directions=len(directions), validation_error=reached,
                    quadratic_error=float(np.sqrt(np.square(residual).mean())))


class _Quadratic:
    """All monomials up to degree 2 of d numbers."""

    def __init__(self, d: int):
        self.d, self.pairs = d, np.triu_indices(d)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, 1 + d + d (d + 1) / 2)."""
        return np.column_stack([np.ones(len(x)), x, x[:, self.pairs[0]] * x[:, self.pairs[1]]])

    def hessian(self, coefficients: np.ndarray) -> np.ndarray:
        """(d, d), second derivatives of the sum of monomials with these coefficients."""
        upper = np.zeros((self.d, self.d))
        upper[self.pairs] = coefficients[1 + self.d :]
        return upper + upper.T


def _site(points: np.ndarray, wanted: np.ndarray, directions: np.ndarray, kinks: int,
          recipe: RidgeRecipe) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Neurons of one site: weights (n, d), biases (n,), output weights (n,), output bias.

    Neurons face away from the middle of their ridge, so that half of them are off and those that are on do not cancel. One more
    is always on and carries the site's own damping.
    """
    weights, biases = [], []
    for direction in directions:
        along = points @ direction
        where = _spread(along, kinks)
        middle = int(np.argmin(np.abs(where - np.median(along))))
        for number, kink in enumerate(where):
            for sign in (1.0,) * (number >= middle) + (-1.0,) * (number <= middle):
                weights.append(sign * direction)
                biases.append(-sign * kink)
    lowest = points[:, 0].min()
    weights.append(np.eye(points.shape[1])[0])
    biases.append(MARGIN * abs(lowest) - lowest)
    weight, bias = np.array(weights), np.array(biases)
    reach = np.maximum(points @ weight.T + bias, 0.0).max(axis=0)
    scale = 1.0 / np.maximum(reach, recipe.least_range * reach.max())
    weight, bias = weight * scale[:, None], bias * scale
    hidden = np.column_stack([np.maximum(points @ weight.T + bias, 0.0), np.ones(len(points))])
    output, *_ = np.linalg.lstsq(hidden, wanted, rcond=1e-9)
    return weight, bias, output[:-1], float(output[-1])


def _spread(along: np.ndarray, kinks: int) -> np.ndarray:
    """Kinks (kinks,), ascending, as dense as the fifth root of the samples' density: so the mean square error of a piecewise
    linear function of constant curvature is smallest."""
    counts, edges = np.histogram(along, CUMULATIVE)
    rising = np.cumsum((counts + RARE * len(along) / CUMULATIVE) ** 0.2)
    part = np.arange(1, kinks + 1) / (kinks + 1)
    return np.interp(part, np.concatenate([[0.0], rising / rising[-1]]), edges)


def _ring(d: int, weight: np.ndarray, bias: np.ndarray, output: np.ndarray, constant: float) -> nn.Sequential:
    """One site's neurons, repeated for all d sites."""
    n = len(bias)
    net = derivative_network((d, d * n, d), seed=0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for site in range(d):
            own = slice(site * n, (site + 1) * n)
            net[0].weight[own] = torch.from_numpy(np.roll(weight, site, axis=1))
            net[2].weight[site, own] = torch.from_numpy(output)
        net[0].bias.copy_(torch.from_numpy(np.tile(bias, d)))
        net[2].bias.fill_(constant)
    return net
