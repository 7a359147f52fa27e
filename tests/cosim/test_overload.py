"""Lines that draw more current than their amplifier delivers are told at compile time."""

import numpy as np
import pytest
import torch
from torch import nn

from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration, Ranges
from cosim.problem.network import read_network


def notes(width, line):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2)).double()
    states = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
    twin = compile_board(read_network(net), Calibration(inputs=np.empty((200, 0)), states=states),
                         Options(ranges=Ranges(line=line)))
    return [note for note in twin.notes if "is clipped" in note]


@pytest.mark.parametrize(("width", "line"), [(60, 0.2), (300, 0.1)])
def test_what_an_amplifier_holds_is_not_told(width, line):
    assert notes(width, line) == []


def test_a_wide_layer_overloads_states_and_bias():
    """300 cells of about 30 uS: 9 mS, so that 2.2 V behind 1 kohm hold 0.22 V on a line."""
    told = notes(300, 0.3)
    assert len(told) == 2
    assert told[0].startswith("layer hidden_1: the line of input") and "ranges.line" in told[0]
    assert told[1].startswith("the line of the bias")
