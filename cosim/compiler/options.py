"""What may be chosen when a network is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from circuits.array.programming import Programming
from circuits.array.select_transistor import SelectTransistor
from circuits.array.window import Window
from circuits.array.wires import Wires
from circuits.board.layer import R_BOARD
from circuits.netlist.solver import ACCURATE, Solver
from cosim.compiler.scaling import Ranges
from cosim.errors import CosimError

FIDELITIES = ("flat", "macro")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be chosen at compile time; the defaults are the nominal board."""

    fidelity: str = "flat"  # "flat": every cell and wire; "macro": each array reduced to what is between its pins
    window: Window = field(default_factory=Window)
    ranges: Ranges = field(default_factory=Ranges)
    wires: Wires = field(default_factory=Wires)
    transistor: SelectTransistor = field(default_factory=SelectTransistor)
    programming: Programming = field(default_factory=Programming)
    all_cells: bool = True  # False leaves rows whose word line is off out of the deck: the same solution, several times faster
    time_scale: float | Literal["auto"] = 1.0  # circuit seconds per model second; "auto": as fast as the amplifiers allow
    r_board: float = R_BOARD  # ohm, board wire of a tile's line
    neuron: str = "relu_tia"  # circuit of a ReLU, see circuits.board.layer.NEURONS; "two_stage" is the faster
    lead: float = 0.0  # s, circuit time: lag of the amplifiers that a capacitor across the integrators' resistors takes out
    trim: bool = False  # take what the nominal board does wrong at the calibration samples, lag included, out of its weights
    kappa: float = 0.0  # 1/V, memristors' nonlinearity in read mode; not compensated, and only in flat decks
    solver: Solver = ACCURATE
    max_step: float = 0.0  # model s, largest solver step; 0: 1/2000 of the run

    def __post_init__(self) -> None:
        if self.fidelity not in FIDELITIES:
            raise CosimError(f"fidelity {self.fidelity!r}: a deck is {' or '.join(FIDELITIES)}")
        if self.kappa and self.fidelity != "flat":
            raise CosimError(f"kappa = {self.kappa} 1/V makes the cells nonlinear, which fidelity {self.fidelity!r} cannot "
                             "describe; use fidelity 'flat', or kappa = 0")
        if self.trim and self.kappa:
            raise CosimError(f"trim = True with kappa = {self.kappa} 1/V: the trim is measured on the behavioural model, which "
                             "knows linear cells only; use kappa = 0, or no trim")
        if not (np.isfinite(self.lead) and self.lead >= 0):
            raise CosimError(f"lead = {self.lead} s: a lag of at least 0 s to take out")
        if not (np.isfinite(self.max_step) and self.max_step >= 0):
            raise CosimError(f"max_step = {self.max_step} model s: above 0, or 0 for 1/2000 of the run")
        if isinstance(self.time_scale, str):
            if self.time_scale != "auto":
                raise CosimError(f"time_scale = {self.time_scale!r}: a number of circuit seconds per model second, or 'auto'")
        elif not (np.isfinite(self.time_scale) and self.time_scale > 0):
            raise CosimError(f"time_scale = {self.time_scale}: circuit seconds per model second, above 0, or 'auto'")
