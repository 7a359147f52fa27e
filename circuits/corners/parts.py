"""The parts at a corner: op-amp, diode and select transistor with the corner's figures in their definitions."""

from __future__ import annotations

from dataclasses import replace

from circuits.corners.corner import Corner
from circuits.errors import CircuitError
from circuits.netlist.render import comment
from circuits.parts import Part, read_part

OP_AMPS = ("opa4990", "opa4990_noisy")  # the part's two subcircuits, each with its offset as the parameter vos


def parts_at(corner: Corner) -> dict[str, Part]:
    """The parts that differ from the nominal ones, by name. Each says in its first line which corner it is of.

    Raises:
        CircuitError: a part's file does not define what the corner changes; names the corner, the file and the definition.
    """
    parts = {}
    for name, change in (("opa4990", _op_amp), ("d1n4148", _diode), ("nmos_select", _transistor)):
        nominal = read_part(name)
        try:
            part = change(nominal, corner)
        except CircuitError as missing:
            raise CircuitError(f"corner {corner.name} cannot change {nominal.path}: {missing}; "
                               "circuits/corners/parts.py has to follow the part's file") from missing
        if part != nominal:
            (remark,) = comment([f"corner {corner.name}: {corner.reason}"])
            parts[name] = replace(part, text=f"{remark}\n{part.text}")
    return parts


def _op_amp(part: Part, corner: Corner) -> Part:
    if corner.vos:
        # A default: every instance that gives no offset of its own takes it.
        for name in OP_AMPS:
            part = part.having(part.subcircuit(name).having(vos=repr(corner.vos)))
    return part


def _diode(part: Part, corner: Corner) -> Part:
    model = part.model("d1n4148")
    if corner.diode == "b":
        model = replace(model, parameters=part.model("d1n4148_b").parameters)
    if not corner.diode_drifts:
        model = model.extended(tnom=corner.temperature)  # measured at this temperature, so that nothing is left to drift
    return part.having(model) if model != part.model("d1n4148") else part


def _transistor(part: Part, corner: Corner) -> Part:
    model = part.model("nmos_select")
    if corner.vto_shift:
        model = model.having(vto=model.value("vto") + corner.vto_shift)
    if corner.kp_factor != 1:
        model = model.having(kp=model.value("kp") * corner.kp_factor)
    if not corner.transistor_drifts:
        model = model.extended(tnom=corner.temperature)
    return part.having(model) if model != part.model("nmos_select") else part
