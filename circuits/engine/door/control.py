"""The ``.control`` block: it is never run. One that only shows results is left out, any other is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from circuits.cards.card import Card
from circuits.engine.door.options import OPTIONS
from circuits.engine.door.whitelist import ANALYSES, Note
from circuits.errors import RejectedDeck

Complain = Callable[[RejectedDeck], None]

OUTPUT_COMMANDS = frozenset(
    "asciiplot compose cross cutout define deftype destroy display echo eprint eprvcd exit fft fourier gnuplot hardcopy "
    "help history inventory let linearize listing meas measure plot print psd quit rehash remcirc remzerovec reset reshape "
    "run rusage set setcs setplot setscale settype shift show showmod spec status strcmp undefine unlet unset version wrdata "
    "write wrs2p xgraph".split())
FLOW = frozenset("begin break continue dowhile else end endif foreach goto if label repeat while".split())
MEND = {"alter": "write the value into the deck", "altermod": "write the value into the .model",
        "alterparam": "write the value into the .param", "option": "write an .options card", "save": "write a .save card",
        "source": "use .include", "optran": "remove it"}

_OURS = re.compile(  # what our own decks and a designer's plain ones hold: not worth a word
    r"(run|quit(\s+\d+)?|exit|set\s+filetype\s*=\s*(binary|ascii)|write\s+[a-z0-9_][a-z0-9_.-]*(\s+[\w().,@\[\]#]+)*"
    r"|(print|echo)(\s+[\w\s.,:()=+*/^%@\[\]#-]*)?|meas(ure)?\s+[\w\s.,:()=+*/^%@\[\]#-]+)", re.I | re.ASCII)
_MEASURE = re.compile(r"meas(ure)?\s+[\w\s.,:()=+*/^%@\[\]#-]+", re.I | re.ASCII)
_RUNS_PROGRAM = re.compile(r"[`|;!]|&(?!\w)|\$\(")
_TARGET = re.compile(r"^(?:write|wrdata|wrs2p|hardcopy|gnuplot|asciiplot)\s+(\S+)|>+\s*&?\s*(\S*)", re.I)
_FILE = re.compile(r"[\w$&{][\w.$&{}+-]*", re.ASCII)


def take_out_control(cards: Sequence[Card], note: Note, complain: Complain) -> tuple[list[Card], list[Card]]:
    """Cards without their ``.control`` blocks, and the blocks' lines that were judged harmless.

    Args:
        complain: called with every RejectedDeck, so that all of them are told together.
    """
    kept: list[Card] = []
    control: list[Card] = []
    start, block = None, []
    for card in cards:
        if start is None and card.keyword == ".control":
            start, block = card, []
        elif start is not None and card.keyword == ".endc":
            control += _harmless(start, block, note, complain)
            start = None
        elif start is None:
            kept.append(card)
        else:
            block.append(card)
    if start is not None:
        complain(start.reject(".control without .endc; add .endc"))
        _harmless(start, block, note, complain)
    return kept, control


def _harmless(start: Card, block: Sequence[Card], note: Note, complain: Complain) -> list[Card]:
    loops = any(card.keyword in FLOW for card in block)
    if any(card.keyword in ("meas", "measure") for card in block):
        for card in block:
            if re.match(r"set\s+units\b", card.text, re.I):
                complain(card.reject("'set units' before measures is refused, they would be in radians; write .meas cards"))
    for card in block:
        problem = _problem(card, loops)
        if problem is not None:
            complain(problem)
    if not all(_OURS.fullmatch(card.text) for card in block):
        note(start, "the .control block only shows results and is left out")
    return list(block)


def _problem(card: Card, loops: bool) -> RejectedDeck | None:
    word = card.keyword
    text = card.text
    if f".{word}" in ANALYSES:
        mend = f"write the card '.{text}' outside the block instead" if "$" not in text else (
            f"write a card .{word} with numbers outside the block instead")
        return card.reject(f"command {word} in .control is refused, the block is never run; {mend}")
    if word not in OUTPUT_COMMANDS | FLOW:
        mend = MEND.get(word, "it may run programs or change the circuit; remove it")
        return card.reject(f"command {word} in .control is refused, only commands that show results are left out; {mend}")
    if word in ("meas", "measure"):
        if loops:
            return card.reject("a measure inside a loop or a condition is refused; write a .meas card")
        if not _MEASURE.fullmatch(text):
            return card.reject("the measure holds letters that are refused ('$', quotes); write a .meas card")
        return None
    free = FLOW | {"let", "plot", "set", "define", "compose"}  # where ">" and "|" compare
    if "`" in text or (word not in free and _RUNS_PROGRAM.search(text)):
        return card.reject("command in .control is refused: backticks, ';', '|', '!', '&' and '$(' start programs; remove it")
    target = None if word in free else _TARGET.search(text)
    if target and not _FILE.fullmatch(target[1] or target[2] or "?"):
        return card.reject("command in .control is refused, it writes outside the deck's folder; name a plain file or "
                           "remove it")
    if word == "set":
        name = re.split(r"[\s=]+", text, maxsplit=2)[1:2]
        if name and name[0].lower() in OPTIONS | {"ngbehavior", "rndseed", "sourcepath", "no_auto_gnd"} - {"numdgt"}:
            return card.reject(f"'set {name[0]}' in .control is refused, it changes the run; write an .options card")
    return None
