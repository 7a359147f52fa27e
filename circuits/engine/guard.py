"""The door: what a deck may hold before ngspice sees it.

A netlist is executable code. ``.control`` blocks, ``*#`` comments and an ``*ng_script`` title run commands and load shared
objects, XSPICE devices start programs, an include of any file leaks its text into an error. So nothing is run that is
not on a whitelist, and what is run is written anew from the checked cards.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from circuits.cards.card import Card, DeckFile, read_cards
from circuits.errors import RejectedDeck

ELEMENTS = frozenset("bcdefghijklmqrstuvwxz")
COMMANDS = frozenset("codemodel osdi pre_codemodel pre_osdi".split())  # they would pass as elements
ANALYSES = frozenset(".ac .dc .disto .noise .op .pz .sens .sp .tf .tran".split())
DOT_CARDS = ANALYSES | frozenset(
    ".csparam .else .elseif .end .endif .endl .ends .func .global .ic .if .inc .include .lib .meas .measure .model "
    ".nodeset .opt .option .options .param .save .subckt .temp".split())
MODEL_TYPES = frozenset(
    "c csw d l ltra njf nhfet nmf nmos npn phfet pjf pmf pmos pnp r sw urc vdmos vdmosn vdmosp".split())
OPTIONS = frozenset(
    "abstol acct badmos3 bypass chgtol convlimit cptime cshunt defad defas defl defw delmin epsmin gmin gminfactor "
    "gminsteps indverbosity itl1 itl2 itl3 itl4 itl5 itl6 keepopinfo klu klu_memgrow_factor limpts limtim list "
    "lteabstol ltereltol ltetrtol lvlcod lvltim maxord maxwarns method minbreak newtrunc noacct node noinit nomod "
    "noopac noopalter noopiter nopage nostepsizelimit numdgt oldlimit opts pivrel pivtol ramptime reltol rseries "
    "rshunt savecurrents scale seed sparse srcsteps temp tnom trtol trytocompact vntol warn xmu".split())
MAX_FILES = 2000  # a network of 512 hidden neurons has 577 arrays, a file each
MAX_BYTES = 256 * 2**20  # all files together

_PLAIN = re.compile(r"[\w\t .+\-*/=(){}\[\],:<>?!&|^~@#%]*", re.ASCII)
_FILE_NAME = re.compile(r"[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*")
_READS_FILE = re.compile(r"\bfile\s*=", re.I)
_HARMLESS = re.compile(
    r"(run|quit(\s+\d+)?|exit|set\s+filetype\s*=\s*(binary|ascii)|write\s+[a-z0-9_][a-z0-9_.-]*(\s+[\w().,@\[\]#]+)*"
    r"|(print|echo)(\s+[\w\s.,:()=+*/^%@\[\]#-]*)?|meas(ure)?\s+[\w\s.,:()=+*/^%@\[\]#-]+)", re.I | re.ASCII)


def check_deck(path: Path) -> list[DeckFile]:
    """The deck and every file that it includes, checked; the deck is first.

    Includes are resolved here, as ngspice does: below the deck's folder, then beside the including file. A ``.control``
    block of harmless commands (run, write, meas, print, echo, quit, set filetype) is taken out.

    Raises:
        RejectedDeck: names file and line, what is refused, and how to mend it.
    """
    path = Path(path)
    if not path.is_file():
        raise RejectedDeck("no such deck; give the path of a file", file=path)
    root = path.resolve().parent
    files: dict[str, DeckFile] = {}
    size = 0

    def visit(relative: str, source: Path, above: tuple[str, ...]) -> None:
        nonlocal size
        is_deck = not above
        size += source.stat().st_size
        if size > MAX_BYTES or len(files) >= MAX_FILES:
            raise RejectedDeck(f"the deck needs more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB; split the circuit",
                               file=source)
        title, cards = read_cards(source, is_deck=is_deck)
        cards, control = _without_control(cards, is_deck)
        files[relative] = DeckFile(path=source, relative=relative, cards=(), title=title)  # its place in the order
        checked = []
        for card in cards:
            target = _check_card(card, is_deck)
            if target is not None:
                found = _resolve(card, target, root, posixpath.dirname(relative))
                # Written below the deck's folder, where ngspice looks first: no second reading of the same name.
                words = card.text.split()
                card = Card(file=card.file, line=card.line, text=" ".join([words[0], found, *words[2:]]))
                if found in (*above, relative):
                    raise card.reject(f"{found} includes itself; break the circle")
                if found not in files:
                    visit(found, root / found, (*above, relative))
            checked.append(card)
        files[relative] = DeckFile(path=source, relative=relative, cards=tuple(checked), title=title,
                                   control=tuple(control))

    visit(path.name, path, ())
    return [files.pop(path.name), *files.values()]


def _check_card(card: Card, is_deck: bool) -> str | None:
    """Refuse what is not whitelisted; the file that an include names, else None."""
    if not _PLAIN.fullmatch(card.text):
        raise card.reject("quotes, backticks, '$', backslashes and non-ASCII letters are refused outside comments; write "
                          "expressions as {...} and file names bare")
    if _READS_FILE.search(card.text):
        raise card.reject("'file=' would read a file; write the values into the deck, e.g. as pwl(...)")
    word = card.keyword
    if not word.startswith("."):
        _check_element(card, word)
        return None
    if word not in DOT_CARDS:
        hint = "control commands are refused inside includes" if word in (".control", ".endc") else (
            "use .save instead" if word in (".print", ".plot", ".four", ".probe", ".width") else
            f"known cards: {' '.join(sorted(DOT_CARDS))}")
        raise card.reject(f"card {word} is not on the whitelist; remove it ({hint})")
    if word.startswith(".opt"):
        _check_options(card)
    elif word == ".model":
        words = re.split(r"[\s(]+", card.text.lower())
        if len(words) < 3 or words[2] not in MODEL_TYPES:
            raise card.reject("model type is not on the whitelist (XSPICE and OSDI types run foreign code); use one of "
                              f"{' '.join(sorted(MODEL_TYPES))}")
    elif word == ".end" and not is_deck:
        raise card.reject(".end belongs to the deck; remove it from the included file")
    elif word in (".inc", ".include", ".lib"):
        return _target(card, word, is_deck)
    return None


def _check_element(card: Card, word: str) -> None:
    if word in COMMANDS:
        raise card.reject(f"{word} loads foreign code; remove it, the engine runs without code models")
    if word[0] not in ELEMENTS:
        raise card.reject(f"element {word!r}: letter {word[0]!r} is not on the whitelist {''.join(sorted(ELEMENTS))} "
                          "(XSPICE 'a' and OSDI 'n' devices run foreign code); model it with a 'b' source")
    if word[0] in "efgh" and re.search(r"\bpoly\s*\(", card.text, re.I):
        raise card.reject("POLY needs XSPICE code models, which are not loaded; write it as a 'b' source")


def _check_options(card: Card) -> None:
    for option in re.sub(r"\s*=\s*", "=", card.text.lower()).split()[1:]:
        if option.partition("=")[0] not in OPTIONS:
            raise card.reject(f"option {option!r} is not on the whitelist, and ngspice ignores an unknown one in silence; "
                              "correct or remove it")


def _target(card: Card, word: str, is_deck: bool) -> str | None:
    words = card.text.split()[1:]
    if word == ".lib" and len(words) == 1 and not is_deck:
        return None  # start of a library's section
    if len(words) != (2 if word == ".lib" else 1):
        raise card.reject("write '.include file' or '.lib file section', one bare file name without blanks")
    return words[0]


def _resolve(card: Card, name: str, root: Path, folder: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise card.reject(f"include {name!r}: only relative names of letters, digits and _ . + - are allowed; copy the file "
                          "beside the deck")
    found = []
    for relative in dict.fromkeys((posixpath.normpath(name), posixpath.normpath(posixpath.join(folder, name)))):
        if relative.startswith("../"):
            continue
        if (root / relative).is_file():
            found.append(relative)
            if not (root / relative).resolve().is_relative_to(root):
                raise card.reject(f"include {name!r} is a link out of the deck's folder {root}; copy the file there")
    if len(found) > 1:
        raise card.reject(f"include {name!r} could be {found[0]} or {found[1]}; rename one of them")
    if not found:
        raise card.reject(f"include {name!r} is not a file below the deck's folder {root}; copy it there or correct it")
    return found[0]


def _without_control(cards: list[Card], is_deck: bool) -> tuple[list[Card], list[Card]]:
    if not is_deck:
        return cards, []
    kept, control, start = [], [], None
    for card in cards:
        if card.keyword == ".control":
            start = card
        elif start is not None and card.keyword == ".endc":
            start = None
        elif start is None:
            kept.append(card)
        elif _HARMLESS.fullmatch(card.text):
            control.append(card)
        else:
            raise card.reject("command in .control is refused; only run, write <file>, meas, print, echo, quit and set "
                              "filetype are allowed, remove it")
    if start is not None:
        raise start.reject(".control without .endc; add .endc")
    return kept, control
