"""The whitelist: which cards a deck may hold, card by card. What is not named here is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from circuits.cards.card import REMARKS, Card, hides_its_end

Note = Callable[[Card, str], None]

ELEMENTS = frozenset("abcdefghijklmopqrstuvwxyz")
COMMANDS = frozenset("codemodel osdi pre_codemodel pre_osdi".split())  # they would pass as elements
ANALYSES = frozenset(".ac .dc .disto .noise .op .pss .pz .sens .sp .tf .tran".split())
DOT_CARDS = ANALYSES | frozenset(
    ".csparam .else .elseif .end .endif .endl .ends .eom .func .global .ic .if .inc .include .lib .macro .meas .measure .model "
    ".nodeset .opt .option .options .param .probe .prot .save .subckt .temp .unprot".split())
OUTPUT_CARDS = frozenset(".print .plot .width .four".split())  # plain ngspice with a raw file passes over them
BUILT_IN_MODELS = frozenset(
    "c cpl csw d l ltra njf nhfet nmf nmos npn nsoi phfet pjf pmf pmos pnp psoi r res sw txl urc vdmos vdmosn vdmosp".split())
# ngspice's own code models that compute and nothing else: none of them reads a file or starts a process.
ANALOGUE_MODELS = frozenset(
    "astate aswitch capacitoric climit cmeter core d_dt delay divide gain hyst ilimit inductoric int lcouple limit lmeter "
    "memristor mult multi_input_pwl oneshot potentiometer pswitch pwl pwlts s_xfer seegen sidiode sine slew square summer "
    "triangle xfer zener cpline cpmlin mlin msopen tline".split())
DIGITAL_MODELS = frozenset(
    "adc_bridge bidi_bridge d_and d_buffer d_dff d_dlatch d_fdiv d_genlut d_inverter d_jkff d_lut d_nand d_nor d_open_c "
    "d_open_e d_or d_osc d_pulldown d_pullup d_pwm d_ram d_srff d_srlatch d_tff d_to_real d_tristate d_xnor d_xor dac_bridge "
    "real_delay real_gain real_to_v".split())
FOREIGN_MODELS = {  # why: what a deck's author should know
    "d_process": "it starts a program", "d_cosim": "it loads a shared object", "d_source": "it reads a file",
    "d_state": "it reads a file", "filesource": "it reads a file", "table2d": "it reads a file", "table3d": "it reads a file",
    **dict.fromkeys("nbjt nbjt2 numd numd2 numos".split(), "a numerical device may read and write files")}
# Of other simulators, in vendors' libraries: ngspice passes over such a model that no element uses, and stops at one in use.
OTHER_MODELS = frozenset("cap ind iswitch lpnp nigbt trn vswitch".split())
MODEL_TYPES = BUILT_IN_MODELS | ANALOGUE_MODELS | DIGITAL_MODELS | OTHER_MODELS

HINTS = {
    ".step": "ngspice has no .step; use .dc with a source, temp or a part's value, or a deck a value",
    ".alter": "ngspice does not know it; write a deck for each alternative",
    ".backanno": "ngspice does not know it; LTspice writes it for itself",
    ".control": "control commands are refused inside includes", ".endc": "control commands are refused inside includes",
    ".hdl": "it would load foreign code", ".libsave": "it writes a file",
}
STRICT = {  # cards that reach ngspice's command language or the little decks of our own: which quotes they may hold
    ".csparam": {}, ".meas": str.maketrans("", "", "'"), ".four": str.maketrans("", "", "'"),
    **dict.fromkeys((".opt", ".option", ".options"), str.maketrans("", "", "'\""))}

_PLAIN = re.compile(r"[\w\t .+\-*/=(){}\[\],:<>?!&|^~@#%]*", re.ASCII)
# Most cards of a large deck: an element or parameters in plain letters, with nothing that the other checks look for.
_ORDINARY = re.compile(r"(?:(?!pre_|codemodel|osdi)[b-mo-z]|\.param )[\w.+\-*/=(){}\[\],:<>?!&|^~@#% ]*",
                       re.I | re.ASCII)
_LOOSE = re.compile(r"[\w\t .+\-*/=(){}\[\],:<>?!&|^~@#%$'\"]*", re.ASCII)
# Behind "_" or "." a name begins anew: what stands before it need not be looked for, which would take a long word minutes.
_READS_FILE = re.compile(r"(?<![a-z0-9])(?:in|out|root|ic\.)?file\s*=|\b(?:simulation|process_\w+)\s*=", re.I)
_FILE_WORD = re.compile(r"(?<![a-z0-9])file(?![a-z0-9_])", re.I)
_LAPLACE = re.compile(r"[eg]\S*\s+\S+\s+\S+\s+laplace\b", re.I)
_NAME = r"[^\s=(),\"'{}]+"
_MODEL = re.compile(rf"\.c?model\s+{_NAME}\s+(ako:\s*{_NAME}(?:\s+|$))?([a-z]\w*(?![\w\"'{{=.]))?", re.I | re.ASCII)
_SHOUT = "'file=' would read a file; write the values into the deck, e.g. as pwl(...)"

def check_card(card: Card, note: Note) -> Card | None:
    """The card as ngspice gets it; None for one that is left out, which ``note`` is then told.

    Raises:
        RejectedDeck: the card is not whitelisted; says what to write instead.
    """
    if _ORDINARY.fullmatch(card.text) and "file" not in (text := card.text.lower()) and "laplace" not in text:
        return card
    if card.text[0] in REMARKS:
        _note_remark(card, note)
        return None
    word = spelling(card.keyword)
    if word in OUTPUT_CARDS and word != ".four" and not adds_nodes(card):
        note(card, f"{word} left out; the waveforms are stored whole")
        return None
    _check_letters(card, word)
    if not word.startswith("."):
        if _LAPLACE.match(card.text):
            raise card.reject("ngspice has no LAPLACE sources; write 1/(1+s*1m) as 'a1 %v(in) %v(out) low' and '.model low "
                              "s_xfer(num_coeff=[1] den_coeff=[1m 1] int_ic=[0])'")
        _check_element(card, word)
    elif word not in DOT_CARDS | OUTPUT_CARDS:
        hint = HINTS.get(word, f"known cards: {' '.join(sorted(DOT_CARDS))}")
        raise card.reject(f"card {word} is not on the whitelist; remove it ({hint})")
    elif word == ".model":
        model_type(card)
        if _FILE_WORD.search(card.text):  # ngspice reads name value as it reads name=value
            raise card.reject(_SHOUT)
    return card


def is_plain(text: str) -> bool:
    """True for text without quotes, "$" and letters beyond ASCII, which may go into a little deck of our own."""
    return _PLAIN.fullmatch(text) is not None


def adds_nodes(card: Card) -> bool:
    """True for an output card with an expression in par(...): ngspice makes a node of it, raw file or not."""
    return "par(" in card.text.lower().replace(" ", "")


def spelling(keyword: str) -> str:
    """A dot card's usual name, for those that ngspice takes in any spelling: ".params" is ".param"."""
    for name in (".para", ".meas", ".four"):
        if keyword.startswith(name):
            return ".param" if name == ".para" else name
    return ".model" if keyword == ".cmodel" else keyword


def model_type(card: Card) -> str | None:
    """Type of a ``.model`` in lower case; None for one that takes it from another model (ako).

    Raises:
        RejectedDeck: a type that is not whitelisted, or a card that ngspice could read otherwise than we do.
    """
    found = _MODEL.match(card.text)
    name = found[2].lower() if found and found[2] else None
    if name is None and found and found[1]:
        return None
    if name not in MODEL_TYPES:
        why = FOREIGN_MODELS.get(name or "", "XSPICE types that read files or start programs, and OSDI types, are refused")
        raise card.reject(f"model type {name or '(none)'} is not on the whitelist ({why}); write '.model name type(...)' with "
                          f"one of {' '.join(sorted(BUILT_IN_MODELS))}, or one of ngspice's code models that only compute")
    return name


def _note_remark(card: Card, note: Note) -> None:
    if card.text[0] == "*":
        note(card, "the first line is the title to ngspice, the card in it is not read; put a title line above it")
    elif card.text[0] != ";":
        note(card, f"a line that begins with {card.text[0]!r} is a remark to ngspice")


def _check_letters(card: Card, word: str) -> None:
    text = card.text
    allowed = STRICT.get(word)
    if not (_LOOSE.fullmatch(text) if allowed is None else _PLAIN.fullmatch(text.translate(allowed))):
        for letter in text:
            if letter in "`\\" or (letter.isascii() and not _LOOSE.fullmatch(letter)):
                raise card.reject(f"{letter!r} is refused outside remarks (backticks and backslashes start commands); "
                                  "remove it")
            if not letter.isascii():
                _check_letter(card, letter)
        if allowed is not None:
            raise card.reject(f"quotes, '$' and letters beyond ASCII are refused on {word}; write expressions as {{...}}")
    if "$(" in text:
        raise card.reject("'$(' is refused outside remarks (it starts a command); remove it")
    if hides_its_end(text):
        raise card.reject("a '$' that starts no remark on its own line and would on the joined one; write it without the blank "
                          "before it")
    if _READS_FILE.search(text):
        raise card.reject(_SHOUT)


def _check_letter(card: Card, letter: str) -> None:
    name = f"U+{ord(letter):04X}"
    if "\udc80" <= letter <= "\udcff":
        raise card.reject(f"byte 0x{ord(letter) - 0xdc00:02x} is no UTF-8, and ngspice stops at it; save the deck as UTF-8")
    if unicodedata.category(letter)[0] in "ZC":
        known = {"\ufeff": "a byte order mark; save the file without one", "\u00a0": "a no-break space; write a blank"}
        raise card.reject(f"{name} is {known.get(letter, 'an invisible letter; remove it')}")
    if letter == "\u03bc":
        raise card.reject(f"{name}, the Greek letter, is no scale factor to ngspice, which would read 1{letter} as 1; write 1u")


def _check_element(card: Card, word: str) -> None:
    if word in COMMANDS or word.startswith("pre_"):
        raise card.reject(f"{word} loads foreign code; remove it")
    if word[0] not in ELEMENTS:
        raise card.reject(f"element {word!r}: letter {word[0]!r} is not on the whitelist {''.join(sorted(ELEMENTS))} "
                          "(OSDI 'n' devices run foreign code); model it with a 'b' source")
