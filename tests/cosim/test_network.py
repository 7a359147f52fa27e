"""Reading a torch model: what is taken, what is refused by name."""

import numpy as np
import pytest
import torch
from torch import nn

from cosim.errors import UnsupportedModelError
from cosim.problem.network import read_network


def test_reads_what_torch_computes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.Linear(4, 2)).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    out = x.numpy()
    for layer in read_network(model):
        out = layer(out)
    np.testing.assert_allclose(out, model(x).detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("model", "says"), [
    (nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), r"tanh \(layer 1 \(Tanh\)\)"),
    (nn.Sequential(nn.Conv1d(1, 1, 1)), r"model Sequential: called with z of shape \(1, 2\) it gives a tensor of shape"),
    (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)), "takes 4 inputs but Linear 0 gives 3"),
    (nn.Sequential(), "called with z of shape .* it gives a tensor of shape"),
    (nn.Sequential(nn.Linear(1, 2)), "model takes 1 inputs, but there are 2 columns"),
])
def test_refuses_by_name(model, says):
    with pytest.raises(UnsupportedModelError, match=says):
        read_network(model, ("u0", "x0"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_refuses_weights_that_are_not_finite(bad):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        model[2].weight[0, 1] = bad
    with pytest.raises(UnsupportedModelError, match=r"layer 2: weight\[0,1\]"):
        read_network(model)


def test_hash_tells_every_change():
    def digest(change):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
        with torch.no_grad():
            change(model)
        return read_network(model).hash

    def bump(p):
        p += 1e-12

    plain = digest(lambda m: None)
    assert plain == digest(lambda m: None)
    assert plain != digest(lambda m: bump(m[0].weight[0, 0]))
    assert plain != digest(lambda m: bump(m[2].bias[0]))


class Own(nn.Module):
    """A module as users write them; ``forward`` is given."""

    def __init__(self, forward):
        super().__init__()
        self.first, self.last, self.steps = nn.Linear(2, 3), nn.Linear(3, 1), forward

    def forward(self, z):
        return self.steps(self, z)


@pytest.mark.parametrize("forward", [
    lambda m, z: m.last(torch.relu(m.first(z))),
    lambda m, z: m.last(nn.functional.relu(m.first(z))),
    lambda m, z: m.last(m.first(z).relu()),
    lambda m, z: m.last(m.first(z).clamp(min=0)),
    lambda m, z: m.last(torch.relu(m.first(z))) + z[..., :1],
    lambda m, z: -2.0 * m.last(nn.functional.leaky_relu(m.first(z), 0.1)).squeeze(-1).unsqueeze(-1) / 4,
    lambda m, z: m.last(torch.maximum(m.first(z), 0.3 * m.first(z.flip(-1)))),
    lambda m, z: m.last(nn.functional.hardtanh(m.first(z))) - nn.functional.relu6(z[..., 1:] * 5),
    lambda m, z: torch.cat([z, z], dim=-1)[..., 1:2] + m.last(m.first(z).abs()),
    lambda m, z: m.last(torch.min(m.first(z), m.first(-z)).amax(-1, keepdim=True).expand(1, 3)),
], ids=["torch.relu", "functional", "method", "clamp", "skip", "leaky", "maximum", "hardtanh", "cat", "amax"])
def test_a_module_of_ones_own(forward):
    torch.manual_seed(1)
    model = Own(forward).double()
    network = read_network(model, ("u0", "x0"))
    for point in np.random.default_rng(0).uniform(-3, 3, (20, 2)):
        expected = model(torch.from_numpy(point)[None]).detach().numpy().reshape(-1)
        chain = network.derivative(point[None, :1], point[None, 1:])[0]
        np.testing.assert_allclose(chain, expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(network.slope(0.0, point[:1], point[1:]), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("forward", "says"), [
    (lambda m, z: m.last(torch.tanh(m.first(z))), r"tanh \(test_network\.py, line \d+: .*\) is no piecewise linear function"),
    (lambda m, z: m.last(m.first(z)) if z.sum() > 0 else z, r"model Own \(test_network.*it does depends on the numbers: if"),
    (lambda m, z: m.last(m.first(z)) * z[..., :1], r"mul \(test_network\.py, line \d+: .*\) multiplies two values"),
    (lambda m, z: torch.where(z > 0, z, 0.1 * z)[..., :1], "gt .* is no operation that the board has a circuit for"),
    (lambda m, z: m.first(z), "gives a tensor of shape .*, 3.*a derivative for each of the 1 states"),
    (lambda m, z: torch.ones(1, 1), "gives a constant|do not depend on its inputs"),
    (lambda m, z: m.last(nn.functional.dropout(m.first(z), training=True)), r"is random, in model\.eval\(\) too"),
], ids=["tanh", "branch", "product", "where", "too many", "constant", "dropout"])
def test_refuses_what_is_not_piecewise_linear(forward, says):
    with pytest.raises(UnsupportedModelError, match=says):
        read_network(Own(forward).double(), ("u0", "x0"))
