"""The neural ODE: its initialisation, its reference solution, and what it refuses."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from torch import nn

from training.errors import ModelError, SolverError
from training.models.neural_ode import (
    DrivenODE,
    derivative_network,
    hidden_activations,
    linear_layers,
    looks_linear,
    solve,
    stack_widths,
    widths_of,
)
from training.stimuli import STIMULI


def linear_net(matrix, bias=None):
    layer = nn.Linear(len(matrix[0]), len(matrix), bias=bias is not None, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(matrix))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def test_the_seed_decides_the_weights_and_not_torchs_global_state():
    torch.manual_seed(1)
    one = derivative_network(seed=7)
    torch.manual_seed(2)
    two, other = derivative_network(seed=7), derivative_network(seed=8)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)
    assert widths_of(one) == (2, 14, 14, 1)
    assert all(p.dtype == torch.float64 for p in one.parameters())


def test_initial_weights_are_uniform_within_a_root_of_the_inputs():
    weight = derivative_network((400, 300), seed=0)[0].weight.detach().numpy()
    assert np.abs(weight).max() <= 1 / 20
    # variance of U(-a, a) is a^2/3; 120 000 draws know it to 0.3 %
    assert weight.var() == pytest.approx((1 / 20) ** 2 / 3, rel=0.02)


def test_looks_linear_starts_as_a_linear_function():
    net = derivative_network((2, 14, 14, 1), seed=3)
    looks_linear(net, seed=3)
    x = torch.tensor([[0.3, -0.7], [-0.3, 0.7], [0.1, 0.2], [0.2, 0.4]], dtype=torch.float64)
    y = net(x).detach().numpy()[:, 0]
    assert y[1] == pytest.approx(-y[0], rel=1e-12)  # odd
    assert y[3] == pytest.approx(2 * y[2], rel=1e-12)  # homogeneous
    assert abs(y[0]) > 1e-3


def test_a_linear_network_is_solved_like_the_matrix_exponential():
    a = [[-1.0, 4.0], [-3.0, -0.5]]
    t = np.linspace(0.0, 2.0, 21)
    got = solve(nn.Sequential(linear_net(a)), None, [1.0, 0.25], t)
    expected = [expm(np.array(a) * at) @ [1.0, 0.25] for at in t]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8)  # rtol of a step 1e-9


@pytest.mark.parametrize("name", STIMULI)
def test_an_integrator_of_the_stimulus_gives_its_exact_integral(name):
    """dy/dt = 3 u: columns are the stimulus first, then the state; corners are honoured."""
    stimulus, t = STIMULI[name], np.linspace(0.0, 0.23, 47)
    got = solve(nn.Sequential(linear_net([[3.0, 0.0]])), stimulus, [0.1], t)[:, 0]
    np.testing.assert_allclose(got, 0.1 + 3 * stimulus.integral(t), rtol=0, atol=1e-9)


def test_two_stimuli_come_in_their_order():
    net = nn.Sequential(linear_net([[1.0, 10.0, 0.0]]))
    got = solve(net, [lambda t: 1.0, lambda t: 2.0], [0.0], np.array([0.0, 1.0]))
    assert got[-1, 0] == pytest.approx(21.0)


@pytest.mark.parametrize(("net", "rate"), [
    (nn.Sequential(linear_net([[2.0], [3.0]]), linear_net([[1.0, -1.0]])), -1.0),  # two Linear in a row, no bias
    (nn.Sequential(linear_net([[-2.0]]), nn.ReLU(), linear_net([[1.0]], [0.0])), 0.0),  # dead for y > 0
    (nn.Sequential(linear_net([[2.0]]), nn.ReLU()), 2.0),  # ends with ReLU
], ids=["linear twice", "mixed biases", "relu last"])
def test_any_stack_of_linear_and_relu_is_solved(net, rate):
    got = solve(net, None, [0.5], np.linspace(0.0, 1.0, 5))[:, 0]
    np.testing.assert_allclose(got, 0.5 * np.exp(rate * np.linspace(0.0, 1.0, 5)), rtol=1e-8)


def test_training_keeps_to_alternating_layers_with_biases():
    for net, says in ((nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1)), "layer 1 is Linear, expected ReLU"),
                      (nn.Sequential(nn.Linear(1, 1, bias=False)), "layer 0 has no bias"),
                      (nn.Sequential(nn.Linear(1, 1), nn.ReLU()), "ends with ReLU"), (nn.Sequential(), "empty")):
        with pytest.raises(ModelError, match=says):
            linear_layers(net)


@pytest.mark.parametrize(("net", "says"), [
    (nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)), "layer 1 is Tanh"),
    (nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(3, 1)), "layer 2 takes 3 inputs, the layer before it gives 2"),
    (nn.Sequential(nn.ReLU()), "no Linear layer"),
])
def test_what_cannot_be_solved_is_refused_by_name(net, says):
    with pytest.raises(ModelError, match=says):
        stack_widths(net)


def test_stimuli_states_and_precision_must_fit():
    net, t = derivative_network((2, 3, 1), seed=0), np.array([0.0, 1.0])
    with pytest.raises(ModelError, match="needs 1 stimuli; got 0"):
        DrivenODE(net, None)
    with pytest.raises(ModelError, match="y0 has 2 values, the network has 1 states"):
        solve(net, lambda at: 0.0, [0.0, 0.0], t)
    with pytest.raises(ModelError, match=r"net\.double"):
        solve(derivative_network((2, 3, 1), seed=0).float(), lambda at: 0.0, [0.0], t)
    with pytest.raises(ModelError, match=r"widths = \(2,\)"):
        derivative_network((2,), seed=0)
    with pytest.raises(ModelError, match="each 1 or more"):
        derivative_network((2, 0, 1), seed=0)


def test_weights_that_are_not_finite_end_in_an_error_and_not_in_an_endless_run():
    with pytest.raises(SolverError, match="weights"):
        solve(nn.Sequential(linear_net([[np.nan]])), None, [1.0], np.array([0.0, 1.0]))


def test_hidden_activations_are_those_behind_each_relu():
    net = nn.Sequential(linear_net([[1.0, -2.0], [-1.0, 1.0]]), nn.ReLU(), linear_net([[3.0, 5.0]]))
    (hidden,) = hidden_activations(net, torch.tensor([[4.0], [0.0]]).double(), torch.tensor([[1.0], [2.0]]).double())
    np.testing.assert_array_equal(hidden.detach().numpy(), [[2.0, 0.0], [0.0, 2.0]])
