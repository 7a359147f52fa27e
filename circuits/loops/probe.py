"""Breaking a loop: test sources at the inverting input of a stage's op-amp, the rest of the stage as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySpice.Spice.Netlist import SubCircuit

from circuits.errors import CircuitError
from circuits.netlist.block import Block

OP_AMP = "opa4990"
HOLD = 1e9  # H, closes an integrator's loop at dc and is open above some microhertz


@dataclass(frozen=True, kw_only=True)
class Probed:
    """A stage whose loop can be measured, and the nets at which it is."""

    block: Block  # with the stage's pins and two more parameters, ac_v [V] and ac_i [A]
    sum: str  # net of the inverting input, on the network's side of the break
    output: str  # net of the op-amp's output


def probed(stage: Block) -> Probed:
    """A stage with a voltage source and a current source where the network meets its op-amp's inverting input.

    This is Middlebrook's double injection (Int. J. Electronics 38, 1975): a run with ``ac_v=1`` and a run with ``ac_i=1``, from
    which :func:`circuits.loops.gain.loop_gain` makes the loop gain. It is exact, including the loads on either side of the
    break, when the whole loop runs through the break and the amplifier is unilateral. Both hold at the input of an op-amp.
    The operating point is that of the closed loop. An integrator has none at dc, so its state is held at ``v_hold`` [V].

    Raises:
        CircuitError: the stage has not exactly one op-amp of its own.
    """
    op_amps = [element for element in stage.netlist.elements if getattr(element, "subcircuit_name", None) == OP_AMP]
    if len(op_amps) != 1:
        raise CircuitError(f"stage {stage.name} has {len(op_amps)} op-amps of its own; a loop is measured around one")
    inp, inn, vcc, vee, out = op_amps[0].node_names
    is_integrator = "c_int" in stage.netlist.parameters
    s = SubCircuit(f"{stage.name}_probed", *stage.netlist.external_nodes, **stage.netlist.parameters, ac_v=0, ac_i=0,
                   **({"v_hold": 0} if is_integrator else {}))
    for element in stage.netlist.elements:
        if element is op_amps[0]:
            s.X("op", OP_AMP, inp, "inn", vcc, vee, out)
        else:
            element.copy_to(s)
    s.V("_inj", inn, "inn", "dc 0 ac {ac_v}")
    s.I("_inj", 0, inn, "dc 0 ac {ac_i}")
    notes = {**stage.notes, "v_inj": "V, its current flows into the op-amp", "i_inj": "A"}
    if is_integrator:
        s.L("_hold", "plate", "held", HOLD)
        s.V("_hold", "cap", "held", "dc {v_hold}")
        notes |= {"l_hold": "H, closes the loop at dc only", "v_hold": "V, the state"}
    block = replace(stage, netlist=s, notes=notes, purpose=f"{stage.purpose}; its loop can be measured",
                    pins={**stage.pins, "ac_v ac_i": "parameters: test sources in the op-amp's inverting input [V], [A]",
                          **({"v_hold": "parameter: state at the operating point [V]"} if is_integrator else {})})
    return Probed(block=block, sum=inn, output=out)
