"""The step of a neural SDE against its exact Gaussian, and the likelihood against a covariance written out in numpy."""

import copy

import numpy as np
import pytest
import scipy.linalg
import torch

from training.twins.kalman import log_likelihood
from training.twins.sde import SDETwin
from training.twins.twin import Scale, State

RATE, LEVEL = -0.7, 0.3  # J, and f at 0 less the drive


def scale(n):
    return Scale(x_mean=torch.zeros(n, dtype=torch.float64), x_std=torch.ones(n, dtype=torch.float64),
                 s_low=torch.tensor(-1.0, dtype=torch.float64), s_high=torch.tensor(1.0, dtype=torch.float64), step_time=1.0)


def linear_twin(n=1, m=2):
    """dx = (RATE x + LEVEL + s + A a) dt + g dW with constant g, of which everything is known."""
    twin = SDETwin(scale(n), 1, 0, torch.zeros(1, n, dtype=torch.float64), hidden=3, n_auxiliaries=m, noise_hidden=2, seed=0)
    with torch.no_grad():
        twin.field.linear[:n] = RATE * torch.eye(n, dtype=torch.float64)
        twin.field.linear[n:] = 1.0
        twin.field.offset.fill_(LEVEL)
        twin.mix.copy_(torch.tensor([[0.8, -0.5], [0.3, 0.9]], dtype=torch.float64)[:n, :m])
        twin.log_tau.copy_(torch.tensor([0.2, 1.1], dtype=torch.float64)[:m])
        twin.noise.offset.copy_(torch.tensor([-2.0, -1.0, -0.5, -1.5], dtype=torch.float64)[: n + m])
    return twin


def exact(twin, h):
    """Drift matrix, transition exp(M h) and noise covariance of (x, a) by Van Loan's block exponential."""
    n, m = twin.n_outputs, twin.n_auxiliaries
    drift = np.zeros((n + m, n + m))
    drift[:n, :n] = RATE * np.eye(n)
    drift[:n, n:] = twin.mix.detach().numpy()
    drift[n:, n:] = -np.diag(1.0 / twin.tau.detach().numpy())
    g = torch.cat(twin.noises(torch.zeros(1, n).double(), torch.zeros(1, 1).double()), dim=-1)[0].detach().numpy()
    size = n + m
    block = np.block([[-drift, np.diag(g**2)], [np.zeros((size, size)), drift.T]]) * h
    whole = scipy.linalg.expm(block)
    step = whole[size:, size:].T
    return step, step @ whole[:size, size:], g


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("h", [1.0, 0.5])
def test_a_step_has_the_exact_mean_and_covariance(n, h):
    twin = linear_twin(n)
    step, noise, _ = exact(twin, h)
    y, s = torch.full((1, n), 0.4, dtype=torch.float64), torch.full((1, 1), 0.6, dtype=torch.float64)
    t = twin.transition(y, s, h)
    rest = -(LEVEL + 0.6) / RATE
    np.testing.assert_allclose(t.moved[0].detach(), rest + (0.4 - rest) * np.exp(RATE * h) * np.ones(n), rtol=1e-12)
    np.testing.assert_allclose(t.coupling.reshape(n, 2).detach(), step[:n, n:], rtol=1e-10)
    np.testing.assert_allclose(t.decay.detach(), np.diag(step[n:, n:]), rtol=1e-12)
    own = torch.diag(t.own[0]) + t.through.reshape(n, n)
    np.testing.assert_allclose(own.detach(), noise[:n, :n], rtol=5e-6)  # four quadrature points
    np.testing.assert_allclose(t.shared[0].detach(), noise[:n, n:], rtol=5e-6)
    np.testing.assert_allclose(t.auxiliary[0].detach(), np.diag(noise[n:, n:]), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_drawn_steps_have_that_covariance(n):
    twin = linear_twin(n)
    _, noise, _ = exact(twin, 1.0)
    count = 200_000
    with torch.no_grad():
        y, a = torch.zeros(count, n).double(), torch.zeros(count, 2).double()
        drawn = torch.cat(twin.advance(y, a, torch.zeros(count, 1).double(), 1.0, torch.Generator().manual_seed(1)), dim=1)
    # a covariance of 200 000 draws is off by about sqrt(2 / 200 000) = 0.3 % of its size; five times that is allowed
    np.testing.assert_allclose(np.cov(drawn.numpy().T), noise, atol=0.016 * np.abs(noise).max())


@pytest.mark.parametrize("n", [1, 2])
def test_the_likelihood_is_that_of_the_whole_path_as_one_gaussian(n):
    """x_1 ... x_4 given x_0 are jointly Gaussian; their mean and covariance are built here from the transition alone."""
    twin, steps = linear_twin(n), 4
    step, noise, g = exact(twin, 1.0)
    tau = twin.tau.detach().numpy()
    start = np.zeros((n + 2, n + 2))
    start[n:, n:] = np.diag(g[n:] ** 2 * tau / 2.0)  # auxiliaries at rest
    draw = np.random.default_rng(0)
    x, s = draw.normal(size=(steps + 1, n)), draw.uniform(-1, 1, steps)
    means, state = [], np.concatenate([x[0], np.zeros(2)])
    covariance = np.zeros((steps * n, steps * n))
    spread, history = start, []
    for k in range(steps):
        push = np.concatenate([np.full(n, (LEVEL + s[k]) * (np.exp(RATE) - 1.0) / RATE), np.zeros(2)])
        state = step @ state + push
        spread = step @ spread @ step.T + noise
        history = [step @ before for before in history] + [spread]  # covariance of state k with each earlier state
        means.append(state[:n])
        for j, between in enumerate(history):
            covariance[k * n : k * n + n, j * n : j * n + n] = between[:n, :n]
            covariance[j * n : j * n + n, k * n : k * n + n] = between[:n, :n].T
    off = (x[1:] - np.array(means)).ravel()
    _, size = np.linalg.slogdet(covariance)
    expected = -0.5 * (off @ np.linalg.solve(covariance, off) + size + steps * n * np.log(2 * np.pi))
    got = log_likelihood(twin, torch.from_numpy(x)[None], torch.from_numpy(s)[None, :, None])
    np.testing.assert_allclose(got.item(), expected, rtol=1e-6)


def test_tables_of_a_frozen_twin_change_nothing():
    twin = linear_twin()
    with torch.no_grad():
        twin.field.outer.normal_(generator=torch.Generator().manual_seed(2))  # a slope that varies
    frozen = copy.deepcopy(twin).requires_grad_(False)
    frozen.freeze(torch.float64)
    assert frozen.tables is not None
    results = []
    for kind in (twin, frozen):
        y = torch.linspace(-2, 2, 50).double()[:, None].requires_grad_(True)
        a = torch.ones(50, 2).double()
        x, b = kind.advance(y, a, torch.full((50, 1), 0.5).double(), 1.0, torch.Generator().manual_seed(3))
        results.append((x.detach(), b.detach(), torch.autograd.grad(x.sum(), y)[0]))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)  # normalised units, of about 1; tables are exact to 1e-7


def test_noise_does_not_depend_on_the_solvers_step():
    """Standard deviation and autocovariance of 4 000 free runs at the whole step and at half of it, on a bent device."""
    twin = linear_twin()
    with torch.no_grad():
        twin.field.outer.fill_(-0.2)  # J now varies with x
        twin.noise.linear[0] = 0.3  # and so does the noise
    paths = {}
    for substeps in (1, 2):
        twin.substeps = substeps
        with torch.no_grad():
            y = torch.zeros(4000, 1).double()
            state = State(y, torch.zeros(4000, 2).double())
            run = twin.trajectory(state, torch.zeros(4000, 40, 1).double(), torch.Generator().manual_seed(substeps))
        paths[substeps] = run[:, 20:, 0].numpy() - run[:, 20:, 0].mean(0).numpy()
    std = {k: path.std() for k, path in paths.items()}
    assert std[2] == pytest.approx(std[1], rel=0.02)
    for lag in (1, 3, 6):
        ours, theirs = ((paths[k][:, :-lag] * paths[k][:, lag:]).mean() / std[1] ** 2 for k in (1, 2))
        assert theirs == pytest.approx(ours, abs=0.02)  # part of the variance
