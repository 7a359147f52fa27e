"""The leaky integrator: an op-amp, a resistor and a capacitor, behind a soft limiter of two diodes."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.noise import ColouredNoise
from circuits.netlist.block import Block

R_LIM = 10e3  # ohm, in front of the diodes
R_IN = 274e3  # ohm, from the limited input to the summing node
R_F = 100e3  # ohm, the leak
C_F = 100e-9  # F
TAU = R_F * C_F  # s
SIGMA = 5.5e-3  # V, deviation of the noise at an output of 0
CORNER = 55e-3  # V, output at which the signal's share of the noise equals the constant share
NOISE_TIME = 5e-3  # s, correlation time of the noise
LAW = "deviation rises as sqrt(1 + (output / 0.055 V)**2)"


def leaky_integrator_block() -> Block:
    """An inverting leaky integrator with a soft limiter at its input. Pins: vin noise out vcc vee."""
    s = SubCircuit("leaky_integrator", "vin", "noise", "out", "vcc", "vee", sigma=SIGMA, corner=CORNER)
    s.R("_lim", "vin", "lim", R_LIM)
    s.D("_pos", "lim", 0, model="d1n4148")
    s.D("_neg", 0, "lim", model="d1n4148")
    s.R("_in", "lim", "sum", R_IN)
    s.R("_f", "sum", "out", R_F)
    s.C("_f", "sum", "out", C_F)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "out")
    s.B("_noise", "out", "sum", i=f"v(noise)*{{sigma}}/{R_F!r}*sqrt(1+(v(out)/{{corner}})**2)")
    return Block(
        netlist=s,
        purpose="r_f c_f d v(out)/dt = -v(out) - r_f/r_in * limited(v(vin)) + noise; time constant 10 ms",
        pins={"vin": "input, +-1 V; the limiter's knee is at 0.40 V", "noise": "coloured noise of unit deviation; 0 for none",
              "out": "output and observable, within +-0.17 V and noise; a memristor may be read with 0.2 V",
              "vcc vee": "supplies, +2.5 V and -2.5 V",
              "sigma corner": "parameters: noise's deviation at v(out) = 0 [V]; v(out) at which it is sqrt(2) of that [V]"},
        drawing="""
                                          +--[r_f]----+
                                          +--| c_f |--+
            vin --[r_lim]--+--lim--[r_in]-+--|- \\     |
                         d_pos   d_neg    |   |  >----+-- out
                          gnd     gnd     |  gnd-|+ /
                         noise * sigma ---+
        """,
        parts=("opa4990", "d1n4148"),
        notes={"r_lim": "ohm, ours: 56 uA into the diodes at 1 V", "r_in": "ohm, ours: 0.16 V out for the limited 0.45 V",
               "r_f": "ohm, ours: with c_f 10 ms; the amplifiers' microseconds are then a thousandth of a step", "c_f": "f",
               "b_noise": "the leak's current flickers; size ours, about a tenth of the signal as in the published probe"},
    )


def leaky_integrator() -> DeckDevice:
    """The device: inputs of +-1 V, held for a quarter of the time constant."""
    return DeckDevice(
        name="leaky_integrator", purpose="leaky integrator of an OPA4990 behind a soft limiter of two 1N4148",
        input_range=(-1.0, 1.0), outputs=("v(out)",), step_time=TAU / 4, block=leaky_integrator_block(),
        noise=ColouredNoise.of(SIGMA, NOISE_TIME, LAW),
        provenance={"circuit": "ours, of parts whose headers state their sources",
                    "noise_origin": "size and colour ours, in the ratio of the published probe: a tenth of the signal"})
