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
    (nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), "layer 1 is a Tanh"),
    (nn.Sequential(nn.Conv1d(1, 1, 1)), "layer 0 is a Conv1d"),
    (nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), "layer 0 is a ReLU that does not follow"),
    (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.ReLU()), "layer 2 is a ReLU that does not follow"),
    (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)), "takes 4 inputs but Linear 0 gives 3"),
    (nn.Sequential(), "no Linear layer"),
    (nn.Sequential(nn.Linear(1, 2)), "model takes 1 inputs, but there are 2 columns"),
])
def test_refuses_by_name(model, says):
    with pytest.raises(UnsupportedModelError, match=says):
        read_network(model)


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
], ids=["torch.relu", "functional", "method"])
def test_a_module_of_ones_own(forward):
    torch.manual_seed(1)
    model = Own(forward).double()
    z = torch.randn(5, 2, dtype=torch.float64)
    out = z.numpy()
    layers = read_network(model)
    assert [layer.relu for layer in layers] == [True, False]
    for layer in layers:
        out = layer(out)
    np.testing.assert_allclose(out, model(z).detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("forward", "says"), [
    (lambda m, z: m.last(torch.tanh(m.first(z))), "step 'tanh' of its forward .*is no layer.* train with ReLU"),
    (lambda m, z: m.last(m.first(z)) + z[..., :1], "not fed by the step before it alone"),
    (lambda m, z: m.last(m.first(z)) if z.sum() > 0 else z, "cannot be traced"),
    (lambda m, z: m.first(z) * 2.0, "step 'mul' of its forward .*is no layer.* put a factor or an offset into the weights"),
    (lambda m, z: 2.0 * m.first(z), r"step 'mul' of its forward \(test_network\.py, line \d+\) is no layer"),
    (lambda m, z: z, "no Linear layer"),
], ids=["tanh", "skip", "branch", "scaled", "scaled from the left", "nothing"])
def test_refuses_a_forward_that_is_no_chain(forward, says):
    with pytest.raises(UnsupportedModelError, match=says):
        read_network(Own(forward))
