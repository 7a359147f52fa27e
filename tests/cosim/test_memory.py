"""A board that would not fit the machine is refused before it is compiled."""

import pytest
import torch
from torch import nn

from cosim.compiler.compile import compile_board
from cosim.compiler.memory import check_memory
from cosim.compiler.scaling import Calibration
from cosim.errors import CosimError
from cosim.problem.network import read_network

WIDE = [(6, 1000), (2002, 1000), (2002, 1)]  # 2-1000-1000-1: 1 x 32, 63 x 32 and 63 arrays


def test_the_message_counts_arrays_and_names_the_layer():
    with pytest.raises(CosimError, match=r"2111 arrays, .* GB as a flat deck; 8\.0 GB are free. .* Linear 2, has 2002 bit "
                                         r"lines and 1000 outputs: make it narrower, or use fidelity macro"):
        check_memory(WIDE, "flat", available=8e9)


def test_what_fits_is_let_through():
    check_memory(WIDE, "flat", available=200e9)
    check_memory([(6, 14), (30, 14), (30, 1)], "flat", available=1e9)


def test_compiling_asks_first(monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_AVPHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}[name])
    net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 1))
    states = torch.linspace(-1, 1, 5)[:, None].numpy()
    told = []
    with pytest.raises(CosimError, match="0.0 GB are free"):
        compile_board(read_network(net), Calibration(inputs=states[:, :0], states=states),
                      progress=lambda label, part: told.append(label))
    assert told == []
