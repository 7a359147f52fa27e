"""A signal on its way through the board: its voltage and how fast it changes."""

from __future__ import annotations

from typing import NamedTuple

from cosim.behavioural.arrays import Array


class Signal(NamedTuple):
    """What a set of lines carries; the rate makes the amplifiers' lags a first-order correction instead of fast states."""

    v: Array  # (boards, lines) [V]
    rate: Array  # (boards, lines) [V/s]


class Pair(NamedTuple):
    """A set of bit-line pairs: the line that a stage drives itself, and the one that an inverter makes of it."""

    native: Signal
    excess: Array | None  # (boards, lines) [V], native plus inverse line: what the inverter does wrong; None: it has none

    @property
    def inverse(self) -> Array:
        """(boards, lines) [V]; its rate is minus the native one's."""
        return self.excess - self.native.v
