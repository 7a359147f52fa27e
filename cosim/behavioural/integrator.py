"""The integrator: what its capacitor does, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from circuits.board.testbench import SUPPLY
from circuits.parts import subcircuit_parameters
from cosim.behavioural.op_amp import OpAmp
from cosim.behavioural.signal import Signal

C_INJECT = 0.58e-12  # F, from a switch's gate to its common pin, parts/tmux1134.lib
CLOSING = 0.93  # V at a switch's gate, below which its common pin is still tied to ground, parts/tmux1134.lib


@dataclass(frozen=True, kw_only=True, eq=False)
class Integrator:
    """d s/dt = -i / c_int, s the capacitor's voltage, right plate less left plate; i flows into the summing node."""

    r_in: float  # ohm
    c_int: float  # F
    c_lead: float  # F, across r_in; 0: none
    vos: torch.Tensor  # (boards, states) [V]
    op: OpAmp
    leaks: bool = True  # False: no bias current, and switch S2 is open altogether

    def slope(self, s: torch.Tensor, derivative: Signal) -> torch.Tensor:
        """ds/dt (boards, states) [V/s] at what the output layer gives.

        In it: offset, bias current, finite gain and gain-bandwidth (which takes 1 / (omega_t r_in c_int) off the slope),
        the resistance of S1 and the leakage of S2's open throw. At the rails the slope outwards is none.
        """
        switch = subcircuit_parameters("tmux1134")
        r = self.r_in + switch["r_on"]
        current = (derivative.v - self.vos + s / self.op.aol) / r
        if self.leaks:
            current = current + self.op.i_bias + switch["g_off"] * s
        current = current + self.c_lead * derivative.rate
        slope = -current / (1 + 1 / (self.op.omega_t * r * self.c_int)) / self.c_int
        return torch.where((s.abs() > self.op.rail) & (s * slope > 0), torch.zeros_like(slope), slope)

    def virtual_ground(self, s: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        """v(sum) [V]."""
        return self.vos - self.op.input_error(s, slope)

    def output(self, s: torch.Tensor, slope: torch.Tensor) -> Signal:
        """v(cap): the capacitor stands on the virtual ground and on S3's resistance."""
        lead = subcircuit_parameters("tmux1134")["r_on"] * self.c_int * slope
        return Signal(s + self.virtual_ground(s, slope) + lead, slope)

    def started(self, initial: torch.Tensor) -> torch.Tensor:
        """Capacitor voltage [V] after the toggle: S1 and S3 inject charge once ground has let go of them."""
        charge = 2 * C_INJECT * (SUPPLY - CLOSING)
        return initial - charge / self.c_int
