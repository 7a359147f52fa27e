"""The ResNet baseline: its recurrence by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from training.errors import ModelError
from training.models.recurrent_resnet import rollout


@pytest.fixture
def net():
    """y + (2 u - y/2 + 1)."""
    net = nn.Sequential(nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[2.0, -0.5]]))
        net[0].bias.fill_(1.0)
    return net


def test_by_hand(net):
    y = rollout(net, torch.tensor([[1.0], [0.0], [-1.0], [99.0]]).double(), torch.tensor([4.0]).double())
    # 4; 4 + 2 - 2 + 1 = 5; 5 + 0 - 2.5 + 1 = 3.5; 3.5 - 2 - 1.75 + 1 = 0.75; the last input gives no further sample
    np.testing.assert_allclose(y.detach().numpy()[:, 0], [4.0, 5.0, 3.5, 0.75])


def test_a_batch_is_its_members(net):
    u, y0 = torch.randn(6, 3, 1, dtype=torch.float64), torch.randn(3, 1, dtype=torch.float64)
    both = rollout(net, u, y0)
    assert both.shape == (6, 3, 1)
    for k in range(3):
        torch.testing.assert_close(both[:, k], rollout(net, u[:, k], y0[k]))


def test_widths_must_fit(net):
    with pytest.raises(ModelError, match="takes 2 inputs and gives 1; got 2 stimuli and 1 states"):
        rollout(net, torch.zeros(4, 2).double(), torch.zeros(1).double())
