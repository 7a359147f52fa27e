"""The memristor node: a volatile memristor that forgets, read through a transimpedance amplifier."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.noise import ColouredNoise
from circuits.netlist.block import Block
from circuits.parts import subcircuit_parameters

READ = 0.1  # V, across the channel
R_F = 47.5e3  # ohm
NOISE_TIME = 5e-3  # s, correlation time of the noise
LAW = "the state's flicker goes as 4 w (1 - w), w = 1/2 - output / (2 * span), so it ends at the window's ends"


def cell() -> dict[str, float]:
    """Parameters of the cell: g_min, g_max [S], tau [s], v_0 [V], sigma [1]."""
    return subcircuit_parameters("volatile_memristor")


def span() -> float:
    """Output [V] at an end of the cell's window; the output lies within plus and minus that."""
    figures = cell()
    return R_F * READ * (figures["g_max"] - figures["g_min"]) / 2


def memristor_node_block() -> Block:
    """A volatile memristor and its TIA. Pins: vin noise out read_p read_n vcc vee."""
    s = SubCircuit("memristor_node", "vin", "noise", "out", "read_p", "read_n", "vcc", "vee", sigma=cell()["sigma"])
    s.X("cell", "volatile_memristor", "vin", "read_p", "sum", "noise", sigma="{sigma}")
    s.R("_mid", "read_n", "sum", 2 / (cell()["g_min"] + cell()["g_max"]))
    s.R("_f", "sum", "out", R_F)
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "out")
    return Block(
        netlist=s,
        purpose="v(out) = -r_f * v(read_p) * (g(w) - 1/r_mid), w the cell's state, which forgets within 10 ms",
        pins={"vin": "drive of the cell, +-1 V", "noise": "coloured noise of unit deviation; 0 for none",
              "out": "output and observable, within +-0.19 V, which is what a memristor may be read with",
              "read_p read_n": "read voltage, +0.1 V and -0.1 V", "vcc vee": "supplies, +2.5 V and -2.5 V",
              "sigma": "parameter: flicker of the state [1]"},
        drawing="""
                     vin
                      |              +--[r_f]--+
            read_p --[cell]---+--sum-+--|- \\   |
            read_n --[r_mid]--+         |   >--+-- out
                                 gnd ---|+ /
        """,
        parts=("opa4990", "volatile_memristor"),
        notes={"r_mid": "ohm, takes off the current of the window's middle", "r_f": "ohm, ours: 0.19 V at the window's ends"},
    )


def memristor_node() -> DeckDevice:
    """The device: inputs of +-1 V, held for a quarter of the time in which the cell forgets."""
    figures = cell()
    return DeckDevice(
        name="memristor_node", purpose="volatile memristor, read through a TIA of an OPA4990",
        input_range=(-1.0, 1.0), outputs=("v(out)",), step_time=figures["tau"] / 4, block=memristor_node_block(),
        references={"read_p": READ, "read_n": -READ},
        # d v(out)/dt = -2 span dw/dt, so at w = 1/2 the flicker counts as 2 span sigma at the input of a low-pass of tau
        noise=ColouredNoise.of(2 * span() * figures["sigma"], NOISE_TIME, LAW),
        provenance={"circuit": "ours; the cell's kinetics and figures are in circuits/parts/volatile_memristor.lib",
                    "noise_origin": "size and colour ours, in the ratio of the published probe: a tenth of the signal"})
