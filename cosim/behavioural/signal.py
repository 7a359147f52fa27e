"""A signal on its way through the board: its voltage and how fast it changes."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Signal(NamedTuple):
    """What a set of lines carries; the rate makes the amplifiers' lags a first-order correction instead of fast states."""

    v: torch.Tensor  # (boards, lines) [V]
    rate: torch.Tensor  # (boards, lines) [V/s]


class Pair(NamedTuple):
    """A set of bit-line pairs: the line that a stage drives itself, and the one that an inverter makes of it."""

    native: Signal
    inverse: Signal

    def stacked(self) -> Signal:
        """Native lines, then inverse lines: (boards, 2 * lines)."""
        return Signal(torch.cat([self.native.v, self.inverse.v], -1), torch.cat([self.native.rate, self.inverse.rate], -1))
