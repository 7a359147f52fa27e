"""The op-amp's cards: the figures that ``opa4990.lib`` gives to ``opa4990.va``, and the compiled device in place of a body.

Only a deck whose op-amp is the project's own, card for card, gets the compiled device; the defaults of the subcircuit's
parameters may differ, as a corner's do, and stay what they are in the deck. Everything else in the deck stays too: the
subcircuit, its pins, its parameters and its net ``gain`` keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from circuits.cards.card import Card, DeckFile
from circuits.cards.definition import Subcircuit
from circuits.cards.number import spice_number
from circuits.engine.door.request import Request
from circuits.errors import CircuitError
from circuits.parts import Part, read_part

PART = "opa4990"
NAME = "cosim_opa4990"  # of the module and of its model; a deck that uses the name itself keeps its subcircuit
ANALYSES = frozenset(("op", "dc", "ac", "tran", "noise"))  # both forms were compared in these
PARAMETERS = ("vos", "ib", "gbw", "sr", "aol", "cmrr")
JUNCTION_IS = "1e-14"  # A, ngspice's own for a level-1 junction where the card gives none
KELVIN = 273.15  # K, at 0 C

_MODEL = re.compile(rf"\.c?model\s+{PART}_\w+", re.I)  # of those that the subcircuit uses


class FiguresError(CircuitError):
    """``opa4990.lib`` holds a card that ``opa4990.va`` does not compute."""


# What opa4990.va computes, card by card: <name> stands for a figure, twice the same name for the same figure
MODELS = (
    ".model opa4990_source nmos(level=1 vto=<source_vto> kp=<source_kp>)",
    ".model opa4990_sink pmos(level=1 vto=<sink_vto> kp=<sink_kp>)",
    ".model opa4990_bias nmos(level=1 vto=<bias_vto> kp=<bias_kp>)",
    ".model opa4990_clamp d(is=<clamp_is> n=<clamp_n>)",
)
BODY = (
    ".param c_gain=<c_gain>", ".param gm={<two_pi>*gbw*c_gain}", ".param i_max={sr*c_gain}", ".param k_in={gm/i_max}",
    ".param g_cm={0.5*gm/cmrr}", ".param r_dc={2*aol/gm}",
    "cdiff inp inn <c_diff>", "ccm_p inp 0 <c_cm>", "ccm_n inn 0 <c_cm>", "ibias_p vcc inp {ib}", "ibias_n vcc inn {ib}",
    "bgm vee gain i={i_max}*tanh({k_in}*(v(inp,inn)+{vos}))", "gcm_p vee gain inp vcc {g_cm}",
    "gcm_n vee gain inp vee {g_cm}", "cgain gain 0 {c_gain}", "rdc_p gain vcc {r_dc}", "rdc_n gain vee {r_dc}",
    "dclamp_p gain out opa4990_clamp temp=<temp>", "dclamp_n out gain opa4990_clamp temp=<temp>",
    "msource vcc gain out out opa4990_source w=<side> l=<side> temp=<temp>",
    "msink vee gain out out opa4990_sink w=<side> l=<side> temp=<temp>", "cout out 0 <c_out>",
    "mbias vcc vee vee vee opa4990_bias w=<side> l=<side> temp=<temp>",
)


def figures(part: Part) -> dict[str, str]:
    """Values of the compiled model's parameters, SI units, as the part's cards write them.

    Raises:
        FiguresError: a card is not what ``opa4990.va`` computes; names it.
    """
    first, last = _body(part.cards)
    cards = (*(card for card in part.cards[:first] if card.text.startswith(".model opa4990_")), *part.cards[first + 1:last])
    wanted = (*MODELS, *BODY)
    found: dict[str, str] = {}
    for number in range(max(len(cards), len(wanted))):
        here = cards[number].text if number < len(cards) else "no card"
        template = wanted[number] if number < len(wanted) else "no card"
        values = _values(template, here)
        if values is None or any(found.get(name, value) != value for name, value in values.items()):
            raise FiguresError(f"{part.path}: [{here}] is not [{template}], which opa4990.va computes; change the .va and "
                               f"{__name__} with it")
        found |= values
    temperature = spice_number(found.pop("temp"))
    found.pop("side")
    return {**found, "junction_is": JUNCTION_IS, "p_temp": f"{KELVIN + temperature:.6g}"}


def compiled_cards(cards: Sequence[Card]) -> tuple[Card, ...]:
    """The part's cards with the compiled device in the body's place, on lines of the body."""
    first, last = _body(cards)
    inside = " ".join(f"{name}={{{name}}}" for name in PARAMETERS)
    model = replace(cards[first], text=f".model {NAME} {NAME} {model_parameters()}", line=cards[first].line - 1)
    device = replace(cards[first + 1], text=f"nop inp inn vcc vee out gain {NAME} {inside}")
    return (*cards[:first], model, cards[first], device, *cards[last:])


def holds_op_amp(files: Sequence[DeckFile]) -> bool:
    """Whether a checked deck defines a subcircuit of the op-amp's name."""
    return any(_defines(card) for file in files for card in file.cards)


def unlike(files: Sequence[DeckFile], request: Request) -> str:
    """Why a checked deck that holds the op-amp keeps its subcircuit, empty where it may have the compiled device."""
    own = [file for file in files if any(_defines(card) for card in file.cards)]
    if len(own) > 1:
        return f"several files define {PART}"
    return _difference(own[0]) or _reaches_inside(files, own[0], request)


def compiled_files(files: Sequence[DeckFile]) -> tuple[DeckFile, ...]:
    """A checked deck with the compiled device in its op-amp's place."""
    return tuple(replace(file, cards=compiled_cards(file.cards)) if any(_defines(card) for card in file.cards) else file
                 for file in files)


def model_parameters() -> str:
    """The compiled model's parameters, as its card has them.

    Raises:
        FiguresError: the project's own ``opa4990.lib`` has changed and ``opa4990.va`` has not.
    """
    return _model_parameters(read_part(PART))


def _difference(file: DeckFile) -> str:
    """Where a deck's op-amp is not the project's own, empty where it is."""
    own = read_part(PART).cards
    for number in range(max(len(own), len(file.cards))):
        card, wanted = (cards[number] if number < len(cards) else None for cards in (file.cards, own))
        if card is None or wanted is None or not (card.text == wanted.text or _same_but_defaults(card, wanted)):
            place = f"{file.relative}:{card.line}" if card is not None else file.relative
            return f"{place} is not the project's own {PART}"
    return ""


def _same_but_defaults(card: Card, wanted: Card) -> bool:
    if not (card.keyword == wanted.keyword == ".subckt"):
        return False
    one, other = Subcircuit.read(card), Subcircuit.read(wanted)
    numbers = all(spice_number(value) is not None for value in one.parameters.values())
    return numbers and replace(one, parameters=other.parameters).text == other.text and (
        list(one.parameters) == list(other.parameters)) and card.text.lower() == one.text


def _reaches_inside(files: Sequence[DeckFile], own: DeckFile, request: Request) -> str:
    """What of a deck sees the difference between the two forms, empty where nothing does."""
    for analysis in request.runs:
        if analysis.kind not in ANALYSES:
            return f"an analysis .{analysis.kind}"
        if analysis.kind == "noise" and len(analysis.card.text.split()) > 7:
            return "noise device by device"
    for file in files:
        for card in (*file.cards, *file.control, *file.fourier):
            if reason := _sees(card) or ("" if file is own else _redefines(card)):
                return f"{reason} ({file.relative}:{card.line})"
    return ""


def _sees(card: Card) -> str:
    text = card.text
    if "@" in text:
        return "a value inside a device"
    if text[0] not in ".xX" and NAME not in text:  # nearly all cards
        return ""
    lower = text.lower()
    word = card.keyword
    if NAME in lower:
        return f"the name {NAME}"
    if word == ".probe":
        return "currents of all devices"
    if word.startswith(".opt") and (found := re.search(r"\b(savecurrents\w*|tnom|scale|lvlcod)\b", lower)):
        return f"option {found[1]}"
    if word == ".func" and re.match(r"\.func\s+tanh\b", lower):
        return "a function tanh of its own"
    if word[0] == "x" and re.search(r"\sm\s*=", lower):
        return "a multiplier"
    return ""


def _redefines(card: Card) -> str:
    return "a model of the op-amp's once more" if card.text[0] == "." and _MODEL.match(card.text) else ""


def _defines(card: Card) -> bool:
    return card.text[0] == "." and card.keyword in (".subckt", ".macro") and card.text.lower().split()[1:2] == [PART]


def _body(cards: Sequence[Card]) -> tuple[int, int]:
    """Where the subcircuit's first and last card are."""
    first = next((number for number, card in enumerate(cards) if _defines(card)), None)
    last = next((number for number in range(first or 0, len(cards)) if cards[number].keyword == ".ends"), None)
    if first is None or last is None:
        raise FiguresError(f"{read_part(PART).path}: no .subckt {PART} that ends; restore the file")
    return first, last


@lru_cache(maxsize=4)
def _model_parameters(part: Part) -> str:
    return " ".join(f"{name}={value}" for name, value in figures(part).items())


def _values(template: str, text: str) -> dict[str, str] | None:
    """Figures of a card that is a template's, None for another card."""
    pattern = "".join(_pieces(template))
    found = re.fullmatch(pattern, text)
    return None if found is None else found.groupdict()


def _pieces(template: str) -> Iterator[str]:
    seen: set[str] = set()
    for piece in re.split(r"(<\w+>)", template):
        name = piece.strip("<>")
        if piece == f"<{name}>":
            yield f"(?P={name})" if name in seen else rf"(?P<{name}>[-+.\w]+)"
            seen.add(name)
        else:
            yield re.escape(piece)
