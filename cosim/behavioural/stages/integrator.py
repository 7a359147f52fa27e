"""The integrator: what its capacitor does, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.board.testbench import SUPPLY
from circuits.parts import subcircuit_parameters
from cosim.behavioural.arrays import Array, library, nowhere
from cosim.behavioural.signal import Signal
from cosim.behavioural.stages.op_amp import OpAmp

C_INJECT = 0.58e-12  # F, from a switch's gate to its common pin, parts/tmux1134.lib
CLOSING = 0.93  # V at a switch's gate, below which its common pin is still tied to ground, parts/tmux1134.lib


@dataclass(frozen=True, kw_only=True, eq=False)
class Integrator:
    """d s/dt = -i / c_int, s the capacitor's voltage, right plate less left plate; i flows into the summing node."""

    r_in: float  # ohm
    c_int: float  # F
    c_lead: float  # F, across r_in; 0: none
    vos: Array  # (boards, states) [V]
    op: OpAmp
    ic_shift: float = 0.0  # V, see :class:`circuits.board.board.BoardSpec`
    leaks: bool = True  # False: no bias current, and switch S2 is open altogether

    def slope(self, s: Array, derivative: Signal) -> Array:
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
        outside = abs(s) > self.op.rail
        return slope if nowhere(outside) else library(s).where(outside & (s * slope > 0), 0.0, slope)

    def virtual_ground(self, s: Array, slope: Array) -> Array:
        """v(sum) [V]."""
        return self.vos - self.op.input_error(s, slope)

    def output(self, s: Array, slope: Array) -> Signal:
        """v(cap): the capacitor stands on the virtual ground and on S3's resistance."""
        lead = subcircuit_parameters("tmux1134")["r_on"] * self.c_int * slope
        return Signal(s + self.virtual_ground(s, slope) + lead, slope)

    def started(self, initial: Array) -> Array:
        """Capacitor voltage [V] after the toggle: S1 and S3 inject charge once ground has let go of them."""
        return initial + self.ic_shift - injected(self.c_int)


def injected(c_int: float) -> float:
    """What the toggle takes off an integrator's voltage [V]: two switches' charge on its capacitor [F]."""
    return 2 * C_INJECT * (SUPPLY - CLOSING) / c_int
