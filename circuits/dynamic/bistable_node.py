"""The bistable node: a leaky integrator with limited positive feedback; near its threshold noise decides where it goes."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit
from scipy.optimize import brentq, minimize_scalar

from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.limiter import limited
from circuits.dynamic.noise import ColouredNoise
from circuits.netlist.block import Block

R_IN = 1.3e6  # ohm, from the input to the summing node
R_F = 100e3  # ohm, the leak
C_F = 47e-9  # F
TAU = R_F * C_F  # s
R_A = 20e3  # ohm, input resistor of the feedback's amplifier
R_B = 200e3  # ohm, its feedback resistor; gain -10
R_LIM = 10e3  # ohm, in front of the diodes
R_P = 442e3  # ohm, from the diodes back to the summing node
SIGMA = 8e-3  # V, deviation of the noise at an output of 0
CORNER = 0.1  # V, output at which the signal's share of the noise equals the constant share
STEP = 2.5e-3  # s, that of the other nodes, so that a network may hold all of them
NOISE_TIME = 2.5e-3  # s, correlation time of the noise
LAW = "deviation rises as sqrt(1 + (output / 0.1 V)**2)"


def pull(v: float) -> float:
    """Where the loop pulls an output of v [V] to without input, less v: the right side of TAU dv/dt."""
    return R_F / R_P * limited(R_B / R_A * v, R_LIM, R_P) - v


def rest() -> float:
    """Output [V] at rest on the upper branch; the lower branch is its mirror."""
    return float(brentq(pull, 0.02, 0.5))


def threshold() -> float:
    """Input [V] beyond which the other branch is gone, without noise: where the loop's pull towards it is largest."""
    return float(-minimize_scalar(lambda v: -pull(v), bounds=(0.0, rest()), method="bounded").fun * R_IN / R_F)


def bistable_node_block() -> Block:
    """Two inverting stages in a loop of positive, limited gain. Pins: vin noise out vcc vee."""
    s = SubCircuit("bistable_node", "vin", "noise", "out", "vcc", "vee", sigma=SIGMA, corner=CORNER)
    s.R("_in", "vin", "sum", R_IN)
    s.R("_f", "sum", "out", R_F)
    s.C("_f", "sum", "out", C_F)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "out")
    s.R("_a", "out", "sum_b", R_A)
    s.R("_b", "sum_b", "back", R_B)
    s.X("op_b", "opa4990", 0, "sum_b", "vcc", "vee", "back")
    s.R("_lim", "back", "lim", R_LIM)
    s.D("_pos", "lim", 0, model="d1n4148")
    s.D("_neg", 0, "lim", model="d1n4148")
    s.R("_p", "lim", "sum", R_P)
    s.B("_noise", "out", "sum", i=f"v(noise)*{{sigma}}/{R_F!r}*sqrt(1+(v(out)/{{corner}})**2)")
    return Block(
        netlist=s,
        purpose="r_f c_f d v(out)/dt = -v(out) + r_f/r_p * limited(r_b/r_a * v(out)) - r_f/r_in * v(vin) + noise",
        pins={"vin": "input, +-1 V; about 0.5 V carries it over its threshold",
              "noise": "coloured noise of unit deviation; 0 for none",
              "out": "output and observable, at rest near +0.1 V or -0.1 V, within +-0.19 V and noise",
              "vcc vee": "supplies, +2.5 V and -2.5 V",
              "sigma corner": "parameters: noise's deviation at v(out) = 0 [V]; v(out) at which it is sqrt(2) of that [V]"},
        drawing="""
                                    +--[r_f]--+
                                    +--|c_f|--+                +--[r_b]--+
            vin --[r_in]-------+sum-+--|- \\   |                |         |
                               |       |   >--+-- out --[r_a]--+--|- \\   |
            noise * sigma -----+  gnd--|+ /                       |   >--+-- back
                               |                             gnd--|+ /    |
                               +--[r_p]--lim--+--------+--[r_lim]---------+
                                            d_pos    d_neg
                                             gnd      gnd
        """,
        parts=("opa4990", "d1n4148"),
        notes={"r_in": "ohm, ours: the threshold lies inside +-1 V", "r_f": "ohm, ours: with c_f 4.7 ms", "c_f": "f",
               "r_a": "ohm", "r_b": "ohm, ours: gain -10", "r_lim": "ohm, ours",
               "r_p": "ohm, ours: loop gain 2.2 at 0 V, states of rest of +-0.1 V",
               "b_noise": "the leak's current flickers; size ours"},
    )


def bistable_node() -> DeckDevice:
    """The device: inputs of +-1 V, held for about half the time constant."""
    return DeckDevice(
        name="bistable_node", purpose="bistable node of two OPA4990 and two 1N4148, in which noise decides the branch",
        input_range=(-1.0, 1.0), outputs=("v(out)",), step_time=STEP, block=bistable_node_block(),
        noise=ColouredNoise.of(SIGMA, NOISE_TIME, LAW),
        provenance={"circuit": "ours, of parts whose headers state their sources",
                    "noise_origin": "size and colour ours: large enough to decide the branch near the threshold"})
