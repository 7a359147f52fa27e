"""A flat circuit in VACASK's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from circuits.cards.card import Card, DeckFile
from circuits.cards.definition import Model
from circuits.cards.number import spice_number
from circuits.engine.door.request import Request
from circuits.errors import RejectedDeck
from circuits.vacask.expression import UnknownExpression, verilog
from circuits.vacask.flat import Element, Flat, flatten, number

MODULES = "behavioural.va"
_HEAD = """cosim, second opinion

load "spice/resistor.osdi"
load "spice/capacitor.osdi"
load "spice/diode.osdi"
load "spice/mos1.osdi"
{load}
model resistor sp_resistor
model capacitor sp_capacitor
model vsource vsource
model isource isource
model vccs vccs
model vcvs vcvs
"""
_TYPES = {"d": ("sp_diode", {}), "nmos": ("sp_mos1", {"type": "1"}), "pmos": ("sp_mos1", {"type": "-1"})}
# How ngspice integrates; the second engine decides for itself.
_IGNORED = frozenset("klu sparse noopiter nopage noinit noacct trtol chgtol xmu method maxord pivrel".split())
_PASSED = frozenset("reltol abstol vntol gmin temp tnom".split())


@dataclass(kw_only=True)
class Translation:
    """A deck in VACASK's language: the text of two files, and VACASK's name of a node by the deck's name of its voltage."""

    netlist: str
    modules: str
    vectors: dict[str, str]


@dataclass(kw_only=True)
class _Writer:
    flat: Flat
    # name in the deck -> n0, n1, ..., so that no name of a deck gets into VACASK's netlist
    nodes: dict[str, str] = field(default_factory=dict)
    modules: dict[tuple[str, str, int, int], str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def node(self, name: str) -> str:
        return "0" if name == "0" else self.nodes.setdefault(name, f"n{len(self.nodes)}")


def translate(files: Sequence[DeckFile], request: Request, *, max_step: float, t_stop: float, method: str) -> Translation:
    """VACASK's netlist of a checked deck with one transient.

    Args:
        max_step: largest step [s].
        t_stop: end [s].
        method: "trap", "gear2", ...
    Raises:
        RejectedDeck: VACASK's netlist has no word for something in the deck; the message names file and line.
    """
    writer = _Writer(flat=flatten(files))
    for card, model in writer.flat.models:
        _write_model(writer, card, model)
    for count, element in enumerate(writer.flat.elements):
        _ELEMENTS[element.kind](writer, f"e{count}", element)
    vectors = {}
    for vector in request.saved:
        match = re.fullmatch(r"v\(([^(),]+)\)", vector.lower())
        if match is None or match[1] not in writer.nodes:
            raise RejectedDeck(f"the second engine cannot save {vector}; save node voltages, v(node)", file=files[0].path)
        vectors[f"v({match[1]})"] = writer.nodes[match[1]]
    if not vectors:
        raise RejectedDeck("the deck saves nothing; add e.g. '.save v(out)'", file=files[0].path)
    head = _HEAD.format(load=f'load "{MODULES}"\n' if writer.modules else "")
    control = ["control", "  save " + " ".join(f"v({name})" for name in dict.fromkeys(vectors.values())),
               f"  options {_options(writer.flat, files[0])} tran_method=\"{method}\"",
               f"  analysis tran1 tran step={max_step!r} stop={t_stop!r} maxstep={max_step!r}", "endc", ""]
    modules = ['`include "disciplines.vams"', *(_module(name, *key) for key, name in writer.modules.items()), ""]
    return Translation(netlist="\n".join([head, *writer.lines, "", *control]), modules="\n".join(modules), vectors=vectors)


def _options(flat: Flat, deck: DeckFile) -> str:
    words = []
    for name, text in flat.options.items():
        value = spice_number(text) if text else None
        if name in _PASSED and value is not None:
            words.append(f"{name}={value!r}")
        elif name == "rshunt" and value:
            words.append(f"gshunt={1 / value!r}")
        elif name not in _IGNORED:
            raise RejectedDeck(f"the second engine has no option {name}={text}; take it out to have a second opinion",
                               file=deck.path)
    return " ".join(words)


def _write_model(writer: _Writer, card: Card, model: Model) -> None:
    parameters = {key: number(card, value, writer.flat.names) for key, value in model.parameters.items()}
    if model.kind not in _TYPES or parameters.pop("level", 1) != 1:
        raise card.reject(f"the second engine has no model for type {model.kind} of that level; known are "
                          f"{', '.join(_TYPES)} of level 1")
    master, fixed = _TYPES[model.kind]
    name = writer.models[model.name] = f"m{len(writer.models)}"
    writer.lines.append(f"model {name} {master} ({_pairs(fixed | {key: repr(value) for key, value in parameters.items()})})")


def _passive(writer: _Writer, name: str, e: Element) -> None:
    master, key = {"r": ("resistor", "r"), "c": ("capacitor", "c")}[e.kind]
    _line(writer, name, e.nodes, master, {key: repr(e.value(e.rest))})


def _device(writer: _Writer, name: str, e: Element) -> None:
    model, _, rest = e.rest.partition(" ")
    if model.lower() not in writer.models:
        raise e.card.reject(f"no model {model} at the top level; define it there")
    _line(writer, name, e.nodes, writer.models[model.lower()], {k: repr(v) for k, v in e.assignments(rest).items()})


def _source(writer: _Writer, name: str, e: Element) -> None:
    master = {"v": "vsource", "i": "isource"}[e.kind]
    match = re.fullmatch(r"(?:dc\s+)?([^\s()]+)?\s*(?:(sin|pwl|pulse)\s*\((.*)\))?", e.rest.lower())
    if not match or (match[1] is None and match[2] is None):
        raise e.card.reject("the second engine knows sources of the form 'dc x', 'sin(...)', 'pwl(...)' and "
                            "'pulse(...)'")
    words: dict[str, str] = {} if match[1] is None else {"dc": repr(e.value(match[1]))}
    values = [e.value(word) for word in re.findall(r"\{[^{}]*\}|[^\s,]+", match[3] or "")]
    if match[2] == "pwl":
        words |= {"type": '"pwl"', "wave": f"[{', '.join(map(repr, values))}]"}
    elif match[2] == "sin":
        if len(values) not in (3, 4):
            raise e.card.reject("the second engine knows sin(offset amplitude frequency [delay]), without damping and phase")
        keys = ("sinedc", "ampl", "freq", "delay")
        words |= {"type": '"sine"'} | dict(zip(keys, map(repr, values), strict=False))
    elif match[2] == "pulse":
        if len(values) != 7 or min(values[3:]) <= 0:
            raise e.card.reject("the second engine knows pulse(low high delay rise fall width period), all times of which but "
                                "the delay are above 0")
        keys = ("val0", "val1", "delay", "rise", "fall", "width", "period")
        words |= {"type": '"pulse"'} | dict(zip(keys, map(repr, values), strict=True))
    _line(writer, name, e.nodes, master, words)


def _controlled(writer: _Writer, name: str, e: Element) -> None:
    _line(writer, name, e.nodes, {"g": "vccs", "e": "vcvs"}[e.kind], {"gain": repr(e.value(e.rest))})


def _behavioural(writer: _Writer, name: str, e: Element) -> None:
    match = re.fullmatch(r"([iv])\s*=\s*(.*)", e.rest, re.I)
    if match is None:
        raise e.card.reject("the second engine knows behavioural sources of the form 'i=...' and 'v=...'")
    try:
        text, controls, values = verilog(match[2].lower(), e.names)
    except UnknownExpression as unknown:
        raise e.card.reject(f"the second engine cannot write {unknown}") from unknown
    key = (match[1].upper(), text, len(controls), len(values))
    module = writer.modules.setdefault(key, f"b{len(writer.modules)}")
    if module not in writer.models.values():
        writer.models[f"module {module}"] = module
        writer.lines.append(f"model {module} {module}")
    _line(writer, name, (*e.nodes, *(e.node(control) for control in controls)), module,
          {f"p{k}": repr(value) for k, value in enumerate(values)})


_ELEMENTS: dict[str, Callable[[_Writer, str, Element], None]] = {
    "r": _passive, "c": _passive, "d": _device, "m": _device, "v": _source, "i": _source, "g": _controlled, "e": _controlled,
    "b": _behavioural}


def _line(writer: _Writer, name: str, nodes: Sequence[str], master: str, words: dict[str, str]) -> None:
    writer.lines.append(f"{name} ({' '.join(writer.node(node) for node in nodes)}) {master} {_pairs(words)}".rstrip())


def _pairs(words: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in words.items())


def _module(name: str, quantity: str, text: str, controls: int, parameters: int) -> str:
    ports = ", ".join(["p", "n", *(f"c{k}" for k in range(controls))])
    real = [f'  (* type="instance" *) parameter real p{k} = 0;' for k in range(parameters)]
    return "\n".join([f"module {name}({ports});", f"  inout {ports};", f"  electrical {ports};", *real,
                      f"  analog {quantity}(p, n) <+ {text};", "endmodule"])
