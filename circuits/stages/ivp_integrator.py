"""The integrator with pre-charge: it solves the initial value problem of one state."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.netlist.block import Block
from circuits.stages.follower import follower


def ivp_integrator(lead: bool = False) -> Block:
    """An inverting integrator with initial condition and four TMUX1134 channels. Pins: vin ic sel line vcc vee cap.

    With sel low, during initial conditioning, S1 and S2 take the amplifier out of the signal path. S2 connects its output to
    its own input, so that it does not run into a rail. S3 grounds the capacitor's left plate, and S4 connects its right plate
    to the source ``ic``. With sel high the stage integrates: v(line) = v_0 - 1/(r_in c_int) * integral of v(vin).

    Args:
        lead: whether there is a capacitor c_lead across r_in. It takes the lag r_in * c_lead out of the loop that drives vin.
    """
    s = SubCircuit("ivp_integrator", "vin", "ic", "sel", "line", "vcc", "vee", "cap", r_in=1e6, c_int=1e-6,
                   **({"c_lead": 1e-12} if lead else {}))
    if lead:
        s.C("_lead", "vin", "s1", "{c_lead}")
    s.R("_in", "vin", "s1", "{r_in}")
    s.X("s1", "tmux1134", "s1", "sum", 0, "sel", "vcc", "vee")
    s.X("op", "opa4990", 0, "sum", "vcc", "vee", "op_out")
    s.X("s2", "tmux1134", "op_out", "cap", "sum", "sel", "vcc", "vee")
    s.X("s3", "tmux1134", "plate", "sum", 0, "sel", "vcc", "vee")
    s.C("_int", "plate", "cap", "{c_int}")
    s.R("_ic", "ic", "ic_s4", 100.0)
    s.X("s4", "tmux1134", "ic_s4", 0, "cap", "sel", "vcc", "vee")
    s.X("buffer", "follower", "cap", "line", "vcc", "vee")
    return Block(
        netlist=s,
        purpose="d v(line)/dt = -v(vin) / (r_in * c_int) with sel high; v(line) = v(ic) with sel low",
        pins={
            "vin": "derivative, from the output layer's TIA",
            "ic": "initial-condition source",
            "sel": "control: 0 V initial conditioning, 2.5 V integration",
            "line": "state, buffered and clamped crossbar line",
            "vcc vee": "supplies, +2.5 V and -2.5 V",
            "cap": "right plate of the capacitor, for probing",
            "r_in c_int": "parameters: time constant [ohm], [F]",
            **({"c_lead": "parameter: lead capacitor across r_in [F]"} if lead else {}),
        },
        drawing="""
                                S3         c_int          S4
                        gnd/sum-o--plate--| |--+-- cap --o-- ic     (S3 to gnd, S4 to ic: pre-charge)
                                               |
            vin --[r_in]-- S1 --o sum --|- \\   +--[follower]-- line
                                        |   >-- S2
                                gnd ----|+ /                        (S1, S2, S3 to sum/cap: integration)
        """,
        parts=("opa4990", "tmux1134"),
        uses=(follower(),),
        notes={**({"c_lead": "F"} if lead else {}), "r_in": "ohm", "c_int": "F", "r_ic": "ohm, limits the pre-charge current",
               "xs1": "sel=1: to the summing node, 0: to ground, so the TIA's load stays",
               "xs2": "sel=1: amplifier drives the capacitor, 0: amplifier holds itself at 0 V",
               "xs3": "sel=1: left plate to the summing node, 0: to ground",
               "xs4": "sel=0: right plate to the initial-condition source, 1: source parked at ground"},
    )
