"""The op-amp as the behavioural model sees it: the figures of ``parts/opa4990.lib`` that reach the signal."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

from circuits.board.testbench import SUPPLY
from circuits.parts import model_parameters, subcircuit_parameters
from cosim.behavioural.arrays import Array, at_least, library


@dataclass(frozen=True, kw_only=True)
class OpAmp:
    """One pole, a class-AB output stage, bias currents and common-mode error; offsets are given board by board.

    The voltage between its inputs is what moves its gain node: v(inp) - v(inn) = v_gain / aol + (d v_gain/dt) / omega_t,
    less the offset. v_gain is the output voltage and what the output stage needs to drive its load.
    """

    aol: float  # V/V, open loop, at zero frequency
    omega_t: float  # rad/s, 2 pi times the gain-bandwidth
    i_bias: float  # A, out of each input
    cmrr: float  # V/V
    kp: float  # A/V^2, either output follower
    overdrive: float  # V, of both followers at no load
    rail: float = SUPPLY  # V

    @classmethod
    def from_part(cls) -> OpAmp:
        """The figures of the part's own file."""
        p, stage = subcircuit_parameters("opa4990"), model_parameters("opa4990", "opa4990_source")
        return cls(aol=p["aol"], omega_t=2 * pi * p["gbw"], i_bias=p["ib"], cmrr=p["cmrr"], kp=stage["kp"],
                   overdrive=-stage["vto"])

    def output_resistance(self, current: Array) -> Array:
        """Open-loop output resistance [ohm] at a load current [A]: 600 ohm at none, less where one follower takes over."""
        conducting = at_least(abs(current), 2 * self.kp * self.overdrive**2)
        return 1 / library(current).sqrt(2 * self.kp * conducting)

    def input_error(self, v_out: Array, rate: Array) -> Array:
        """v(inp) - v(inn) [V], without the offset, at an output voltage [V] and a rate of the gain node [V/s]."""
        return v_out * (1 / self.aol) + rate * (1 / self.omega_t)
