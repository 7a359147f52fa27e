"""How fast a board may solve: its amplifiers' lag and its integrators' range, against the rates of the network."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10, pi

import numpy as np

from circuits.parts import subcircuit_parameters
from cosim.compiler.scaling import Calibration
from cosim.errors import MappingError
from cosim.problem.network import Network

POINTS = 200  # calibration samples at which rates are looked at
STEP = 1e-6  # of the largest state, for the Jacobian
MEAN_PAIR = 1.2  # feedback resistor times the conductance of a pair of bit lines: 60 uS at either end of the window, 10 kohm
PHASE = 5e-5  # lag over the network's shortest time, which "auto" aims at; costs some 1e-4 of full scale in a cycle
TOO_SLOW = 1e4  # times the slowest integrator: derivatives stay below 0.1 mV, less than an amplifier's offset
WARNED, REFUSED = 2e-3, 0.2  # the same: said when a board is compiled; beyond any use


@dataclass(frozen=True, kw_only=True)
class TimeScale:
    """What limits the time scale of a network on its board."""

    rate: float  # 1/model s, largest magnitude of an eigenvalue of its Jacobian along the calibration
    lag: float  # s, circuit time, from states to derivatives, estimated

    @property
    def fitting(self) -> float:
        """Circuit seconds per model second at which the lag hardly shows, one digit."""
        wanted = self.rate * self.lag / PHASE
        power = 10.0 ** floor(log10(wanted))
        return float(f"{max(round(wanted / power), 1) * power:.1g}")

    def phase(self, time_scale: float) -> float:
        """The lag as a part of the network's shortest time."""
        return self.rate * self.lag / time_scale

    @property
    def reason(self) -> str:
        return (f"the network's fastest rate is {self.rate:.3g} per model second, the amplifiers lag by about "
                f"{1e6 * self.lag:.2g} µs of circuit time")


def measure_time_scale(network: Network, calibration: Calibration) -> TimeScale:
    """Rates of a network along its calibration, and the lag of the board that it will be.

    The lag is that of each layer's transimpedance amplifier, whose noise gain follows from the bit lines on its source line,
    and of the inverters and buffers between (gain-bandwidth of the OPA4990).
    """
    gbw = subcircuit_parameters("opa4990")["gbw"]
    lag = 0.0
    for layer in network:
        pairs = layer.n_inputs + (layer.bias is not None)
        lag += (1 + MEAN_PAIR * pairs + 2) / (2 * pi * gbw)  # amplifier, and the inverter's noise gain of 2 behind it
    return TimeScale(rate=largest_rate(network, calibration), lag=lag + 3 / (2 * pi * gbw))


def largest_rate(network: Network, calibration: Calibration) -> float:
    """Largest eigenvalue magnitude of d f/dx at calibration samples [1/model s]; in units in which every state reaches 1."""
    chosen = np.linspace(0, len(calibration.states) - 1, min(POINTS, len(calibration.states))).round().astype(int)
    inputs, states = calibration.inputs[chosen], calibration.states[chosen]
    sizes = np.abs(calibration.states).max(axis=0)
    sizes = np.where(sizes > 0, sizes, 1.0)
    right = network.derivative(inputs, states)
    columns = []
    for k, size in enumerate(sizes):
        shifted = states.copy()
        shifted[:, k] += STEP * size
        columns.append((network.derivative(inputs, shifted) - right) / STEP / sizes)
    rates = np.abs(np.linalg.eigvals(np.stack(columns, axis=2))).max(initial=0.0)
    driven = (np.abs(right) / sizes).max(initial=0.0)  # a state that only follows its input has no rate of its own
    return float(max(rates, driven)) or 1.0


def check_time_scale(limits: TimeScale, time_scale: float, time_constant: float, slowest: float) -> list[str]:
    """What there is to say of a time scale that the user gave; nothing where the board can follow.

    Args:
        time_constant: s, of the integrators that would use the derivatives' whole range.
        slowest: s, the longest time constant of an integrator.
    Raises:
        MappingError: the board cannot follow at all, or has hardly a derivative to integrate; with the figure that fits.
    """
    given = f"time_scale = {time_scale:g} circuit seconds per model second"
    advice = (f"{limits.reason}; time_scale={limits.fitting:g} fits (or time_scale=\"auto\", on the command line "
              "--time-scale auto)")
    phase = limits.phase(time_scale)
    if phase > REFUSED:
        raise MappingError(f"{given} is too fast for any board: {advice}")
    if time_constant > TOO_SLOW * slowest:
        raise MappingError(f"{given} is too slow for any board, integrators of {time_constant:.3g} s would be needed and "
                           f"{slowest:g} s is the slowest: {advice}")
    notes = []
    if phase > WARNED:
        notes.append(f"{given} is fast for this network, the board lags by {phase:.1%} of its shortest time: {advice}")
    if time_constant > slowest:
        notes.append(f"{given} is slow: integrators of {time_constant:.3g} s would be needed and {slowest:g} s is the slowest, "
                     "so that the derivatives use a small part of their range and the amplifiers' offsets count the more: "
                     f"{advice}")
    return notes
