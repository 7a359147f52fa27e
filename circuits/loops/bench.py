"""Loop benches: a deck with many copies of a stage, each between its own lines and at its own operating point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.board.testbench import SUPPLY
from circuits.engine.result import Result
from circuits.errors import CircuitError
from circuits.loops.gain import LoopGain, loop_gain
from circuits.loops.line import Line
from circuits.loops.probe import Probed, probed
from circuits.netlist.block import Block
from circuits.netlist.deck import Deck
from circuits.stages.follower import follower
from circuits.stages.inverter import inverter
from circuits.stages.ivp_integrator import ivp_integrator
from circuits.stages.rectifier import rectifier
from circuits.stages.relu_tia import relu_tia
from circuits.stages.tia import clamped_tia, tia

STAGES = {
    "relu_tia": relu_tia, "tia": tia, "clamped_tia": clamped_tia, "rectifier": rectifier, "inverter": inverter,
    "follower": follower, "ivp_integrator": ivp_integrator, "ivp_integrator_lead": lambda: ivp_integrator(lead=True),
}
INPUTS, OUTPUTS = ("sl", "vin"), ("line", "out")  # pins of a stage
ANALYSIS = ".op\n.ac dec 40 1 1e8"
LOW = 1e3  # Hz, where the noise gain is read: as good as dc, where the integrators have no noise gain
OPEN = 1e12  # ohm, stands for no load


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What surrounds a stage, and at which operating point it works."""

    drive: float  # V, of the source behind r_drive
    r_drive: float  # ohm; for a TIA it is the driving-point resistance of the source line
    c_input: float = 0.0  # F, at the input pin
    load: Line = field(default_factory=Line)  # at the output
    parameters: Mapping[str, float] = field(default_factory=dict)  # of the stage; for an integrator also sel and v_hold


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A loop as measured at one operating point."""

    gain: LoopGain
    noise_gain: float  # dimensionless, from the op-amp's input to its output, at LOW
    output: float  # V, output of the op-amp


def surrounded(stage: Probed) -> Block:
    """A stage whose loop can be measured, together with its source and its load. Pins: vcc vee."""
    pins, parameters = stage.block.netlist.external_nodes, stage.block.netlist.parameters
    (inlet,), (outlet,) = [p for p in pins if p in INPUTS], [p for p in pins if p in OUTPUTS]
    s = SubCircuit(f"loop_{stage.block.name.removesuffix('_probed')}", "vcc", "vee", **parameters, drive=0, r_drive=1,
                   c_input=0, r_load=OPEN, c_load=0, **({"sel": SUPPLY} if "sel" in pins else {}))
    s.V("_drive", "source", 0, "dc {drive}")
    s.R("_drive", "source", inlet, "{r_drive}")
    s.C("_input", inlet, 0, "{c_input}")
    if "sel" in pins:
        s.V("_sel", "sel", 0, "dc {sel}")
        s.V("_ic", "ic", 0, "dc {v_hold}")
    s.X("stage", stage.block.name, *pins, **{name: f"{{{name}}}" for name in parameters})
    s.R("_load", outlet, 0, "{r_load}")
    s.C("_load", outlet, 0, "{c_load}")
    return Block(
        netlist=s, purpose=f"loop of {stage.block.name} between its source and its load", uses=(stage.block,),
        pins={"vcc vee": "supplies, +2.5 V and -2.5 V"},
        notes={"v_drive": "V", "r_drive": "ohm", "c_input": "F", "r_load": "ohm", "c_load": "F"},
        drawing=f"drive --[r_drive]--+-- {inlet} [{stage.block.name}] {outlet} --+-- r_load, c_load\n"
                "                 c_input")


def loop_deck(name: str, stage: str, places: Sequence[Surroundings]) -> Deck:
    """Deck of a stage in many places, each of them twice: with the test voltage and with the test current.

    Args:
        name: of the deck.
        stage: one of STAGES.
        places: what surrounds each copy of the stage.
    Raises:
        CircuitError: the stage is not known.
    """
    if stage not in STAGES:
        raise CircuitError(f"no stage named {stage!r} has a loop bench; there are {', '.join(STAGES)}")
    probe = probed(STAGES[stage]())
    block = surrounded(probe)
    c = Circuit(f"loops of {stage}")
    c.V("_cc", "vcc", 0, f"dc {SUPPLY}")
    c.V("_ee", "vee", 0, f"dc {-SUPPLY}")
    for k, place in enumerate(places):
        for letter in "vi":
            c.X(f"{letter}{k}", block.name, "vcc", "vee", drive=place.drive, r_drive=place.r_drive, c_input=place.c_input,
                r_load=1.0 / (place.load.g + 1.0 / OPEN), c_load=place.load.c, **place.parameters, **{f"ac_{letter}": 1})
    return Deck(
        name=name, title=f"loop gain of {stage} in {len(places)} places", block=block, bench=c, analysis=ANALYSIS,
        banner=("purpose    Middlebrook's double injection: xv<k> and xi<k> are one place, T = (t_v t_i - 1)/(t_v + t_i + 2)",
                "generated, do not edit"),
        save=tuple(vector for k in range(len(places)) for vector in _vectors(probe, k)), options="klu noopiter")


def read_loops(result: Result, stage: str, count: int) -> list[Measured]:
    """The measured loops of a :func:`loop_deck`, in the order of its places."""
    ac = next(plot for plot in result.plots if plot.scale_name == "frequency")
    op = next(plot for plot in result.plots if plot is not ac)
    probe, loops = probed(STAGES[stage]()), []
    for k in range(count):
        v_y, v_x, i_x, out = _vectors(probe, k)
        gain = LoopGain(frequency=ac.scale, value=loop_gain(ac[v_y], ac[v_x], ac[i_x]))
        low = int(np.searchsorted(ac.scale, LOW))
        loops.append(Measured(gain=gain, noise_gain=float(abs(ac[out][low] / ac[v_y][low])), output=float(op[out][0].real)))
    return loops


def _vectors(probe: Probed, k: int) -> tuple[str, str, str, str]:
    pins = probe.block.netlist.external_nodes
    v_y, out = (f"v(xv{k}.{'' if net in pins else 'xstage.'}{net})" for net in (probe.sum, probe.output))
    return v_y, f"v(xv{k}.xstage.inn)", f"i(v.xi{k}.xstage.v_inj)", out
