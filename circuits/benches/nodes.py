"""The dynamic nodes and what stands between them, alone and without noise: time constants, limits, states of rest.

The expectations are by hand.
"""

from __future__ import annotations

from math import cosh, exp, pi, tanh

from PySpice.Spice.Netlist import Circuit

from circuits.corners.corner import Corner
from circuits.dynamic import bistable_node, leaky_integrator, memristor_node
from circuits.dynamic.limiter import limited
from circuits.netlist.block import Block
from circuits.netlist.deck import Deck, Measure
from circuits.parts import subcircuit_parameters
from circuits.stages import sample_and_hold, soft_limiter

START = 10e-3  # s, of the first change of the input


def _deck(block: Block, corner: Corner, stimulus: str, stop: float, measures: tuple[Measure, ...],
          references: dict[str, float] | None = None) -> Deck:
    c = Circuit(block.name)
    c.V("_cc", "vcc", 0, f"dc {corner.rail}")
    c.V("_ee", "vee", 0, f"dc {-corner.rail}")
    c.V("_in", "vin", 0, f"pwl({stimulus})")
    for pin, volts in (references or {}).items():
        c.V(f"_{pin}", pin, 0, f"dc {volts!r}")
    c.X("dut", block.name, "vin", 0, "out", *(references or ()), "vcc", "vee")
    return Deck(name=block.name, title=f"{block.name} alone", banner=(f"purpose    {block.purpose}", "generated, do not edit"),
                block=block, bench=c, analysis=f".tran 1e-4 {stop!r} 0 1e-4", save=("v(vin)", "v(out)"), measures=measures)


def leaky_integrator_bench(corner: Corner) -> Deck:
    """0.2 V, below the limiter's knee, then 1 V, beyond it."""
    gain, tau = leaky_integrator.R_F / leaky_integrator.R_IN, leaky_integrator.TAU
    low, high = (-gain * limited(v, leaky_integrator.R_LIM, leaky_integrator.R_IN) for v in (0.2, 1.0))
    return _deck(leaky_integrator.leaky_integrator_block(), corner, "0 0 9.999e-3 0 10.001e-3 0.2 0.21 0.2 0.21001 1", 0.41, (
        Measure(name="v_tau", rule=f"find v(out) at={START + tau!r}", expect=low * (1 - exp(-1))),
        Measure(name="v_low", rule="find v(out) at=0.209", expect=low),
        Measure(name="v_high", rule="find v(out) at=0.409", expect=high)))


def memristor_node_bench(corner: Corner) -> Deck:
    """0.5 V, which is the cell's drive scale. The TIA, with a noise gain of 7, is a microsecond behind the cell."""
    figures, span = memristor_node.cell(), memristor_node.span()
    end, tau = -span * tanh(0.5 / figures["v_0"]), figures["tau"] / cosh(0.5 / figures["v_0"])
    gain = 1 + memristor_node.R_F * (figures["g_min"] + figures["g_max"])  # cell and r_mid, half the sum each, at w = 1/2
    lag = gain / (2 * pi * subcircuit_parameters("opa4990")["gbw"])
    return _deck(memristor_node.memristor_node_block(), corner, "0 0 9.999e-3 0 10.001e-3 0.5", 0.21, (
        Measure(name="v_tau", rule=f"find v(out) at={START + tau + lag!r}", expect=end * (1 - exp(-1))),
        Measure(name="v_end", rule="find v(out) at=0.209", expect=end)),
        {"read_p": memristor_node.READ, "read_n": -memristor_node.READ})


def bistable_node_bench(corner: Corner) -> Deck:
    """Lower branch: 1 V, then 0. Then just below and just beyond the threshold towards the upper branch, each back to 0."""
    rest, edge = bistable_node.rest(), bistable_node.threshold()
    stimulus = (f"0 1 0.01 1 0.01001 0 0.21 0 0.21001 {-0.97 * edge!r} 0.61 {-0.97 * edge!r} 0.61001 0 0.81 0 "
                f"0.81001 {-1.03 * edge!r} 1.21 {-1.03 * edge!r} 1.21001 0")
    return _deck(bistable_node.bistable_node_block(), corner, stimulus, 1.41, (
        Measure(name="v_lower", rule="find v(out) at=0.209", expect=-rest),
        Measure(name="v_kept", rule="find v(out) at=0.809", expect=-rest),
        Measure(name="v_upper", rule="find v(out) at=1.409", expect=rest)))


def soft_limiter_bench(corner: Corner) -> Deck:
    """The limiter of a network's layers: 0.1 V, below its knee, and 2.4 V, where a TIA ends."""
    block, gain = soft_limiter.soft_limiter(), soft_limiter.R_B / soft_limiter.R_A
    c = Circuit(block.name)
    c.V("_cc", "vcc", 0, f"dc {corner.rail}")
    c.V("_ee", "vee", 0, f"dc {-corner.rail}")
    c.V("_in", "vin", 0, "dc 0")
    c.X("dut", block.name, "vin", "out", "vcc", "vee")
    return Deck(name=block.name, title=f"{block.name} alone", banner=(f"purpose    {block.purpose}", "generated, do not edit"),
                block=block, bench=c, analysis=".dc v_in -2.4 2.4 0.02", save=("v(vin)", "v(out)"), measures=tuple(
                    Measure(name=name, rule=f"find v(out) at={volts}",
                            expect=-gain * limited(volts, soft_limiter.R_LIM, soft_limiter.R_A))
                    for name, volts in (("v_low", 0.1), ("v_high", 2.4))))


def sample_and_hold_bench(corner: Corner) -> Deck:
    """0.1 V is sampled and held while the input goes to -0.1 V; then that is sampled. The switch's charge stays behind."""
    block = sample_and_hold.sample_and_hold()
    c = Circuit(block.name)
    c.V("_cc", "vcc", 0, f"dc {corner.rail}")
    c.V("_ee", "vee", 0, f"dc {-corner.rail}")
    c.V("_in", "vin", 0, "pwl(0 0.1 1.5e-3 0.1 1.501e-3 -0.1)")
    c.V("_sel", "sel", 0, f"pulse({corner.rail} 0 1e-3 4e-6 4e-6 1e-3 10e-3)")
    c.X("dut", block.name, "vin", "sel", "out", "vcc", "vee")
    injected = -sample_and_hold.CHARGE / sample_and_hold.C_HOLD
    return Deck(name=block.name, title=f"{block.name} alone", banner=(f"purpose    {block.purpose}", "generated, do not edit"),
                block=block, bench=c, analysis=".tran 1e-5 3e-3 0 1e-5", save=("v(vin)", "v(sel)", "v(out)"), measures=(
                    Measure(name="v_sampled", rule="find v(out) at=0.9e-3", expect=0.1),
                    Measure(name="v_held", rule="find v(out) at=1.9e-3", expect=0.1 + injected),
                    Measure(name="v_next", rule="find v(out) at=2.9e-3", expect=-0.1)))


BENCHES = {"leaky_integrator": leaky_integrator_bench, "memristor_node": memristor_node_bench,
           "bistable_node": bistable_node_bench, "soft_limiter": soft_limiter_bench, "sample_and_hold": sample_and_hold_bench}
