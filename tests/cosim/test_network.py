"""Reading a torch model: what is taken, what is refused by name."""

import numpy as np
import pytest
import torch
from torch import nn

from cosim.errors import UnsupportedModelError
from cosim.network import network_hash, read_network


def test_reads_what_torch_computes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.Linear(4, 2)).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    out = x.numpy()
    for layer in read_network(model):
        out = layer(out)
    np.testing.assert_allclose(out, model(x).detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("model", "says"), [
    (nn.Linear(2, 1), "model is a Linear"),
    (nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), "layer 1 is a Tanh"),
    (nn.Sequential(nn.Conv1d(1, 1, 1)), "layer 0 is a Conv1d"),
    (nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), "layer 0 is a ReLU that does not follow"),
    (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.ReLU()), "layer 2 is a ReLU that does not follow"),
    (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)), "takes 4 inputs but Linear 0 gives 3"),
    (nn.Sequential(), "no Linear layer"),
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
        return network_hash(read_network(model))

    def bump(p):
        p += 1e-12

    plain = digest(lambda m: None)
    assert plain == digest(lambda m: None)
    assert plain != digest(lambda m: bump(m[0].weight[0, 0]))
    assert plain != digest(lambda m: bump(m[2].bias[0]))
