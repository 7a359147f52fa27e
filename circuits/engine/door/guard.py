"""The door: what a deck may hold before ngspice sees it.

A netlist is executable code. ``.control`` blocks, ``*#`` comments and an ``*ng_script`` title run commands and load shared
objects, XSPICE devices start programs, an include of any file leaks its text into an error. So nothing is run that is
not on a whitelist, and what is run is written anew from the checked cards.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from circuits.cards.card import Card, DeckFile, read_cards
from circuits.engine.door.control import take_out_control
from circuits.engine.door.copies import MAX_DEPTH, check_copies
from circuits.engine.door.includes import MAX_BYTES, find_include, read_include
from circuits.engine.door.options import check_options
from circuits.engine.door.whitelist import adds_nodes, check_card
from circuits.errors import RejectedDeck

MAX_FILES = 2000  # a network of 512 hidden neurons has 577 arrays, a file each
MAX_COMPLAINTS = 200  # then the deck is no deck, and the rest is not looked at

_FILE_NAME = re.compile(r"[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*")


def check_deck(path: Path) -> list[DeckFile]:
    """The deck and every file that it includes, checked; the deck is first.

    Includes are resolved here, as ngspice does: below the deck's folder, then beside the including file. A deck that is a
    link is read, and its includes are looked for, only in the folder that the link lies in. A ``.control`` block that only
    shows results is taken out.

    Raises:
        RejectedDeck: every complaint about the deck; each names file and line, what is refused, and how to mend it.
    """
    path = Path(path)
    if not path.is_file():
        raise RejectedDeck("no such deck; give the path of a file", file=path)
    root = path.parent.resolve()
    if not path.resolve().is_relative_to(root):
        raise RejectedDeck(f"the deck is a link out of its folder {root}; copy the file there or name its own path",
                           file=path)
    door = _Door(root=root)
    door.visit(path.name, path, 0)
    first = door.relative(path.name)
    files = [door.files.pop(first), *door.files.values()]
    try:
        check_copies(files)
    except RejectedDeck as problem:
        door.complaints.append(problem)
    if door.complaints:
        raise RejectedDeck.together(door.complaints)
    return files


@dataclass(kw_only=True)
class _Door:
    root: Path
    files: dict[str, DeckFile] = field(default_factory=dict)  # by the path that they are written to
    names: dict[str, str] = field(default_factory=dict)  # that path by the one they were found at
    seen: set[str] = field(default_factory=set)  # those paths, of files that are read or being read
    complaints: list[RejectedDeck] = field(default_factory=list)
    size: int = 0  # bytes read so far

    def relative(self, found: str) -> str:
        """Where a file is written: its own path, or a plain name for one that ngspice could misread."""
        if found not in self.names:
            plain = _FILE_NAME.fullmatch(found) and not found.startswith("cosim_file_")
            suffix = Path(found).suffix if _FILE_NAME.fullmatch(Path(found).suffix) else ""
            self.names[found] = found if plain else f"cosim_file_{len(self.names)}{suffix}"
        return self.names[found]

    def complain(self, problem: RejectedDeck) -> None:
        """Keep a complaint, and give up where they become too many."""
        self.complaints.append(problem)
        if len(self.complaints) >= MAX_COMPLAINTS:
            raise RejectedDeck.together(self.complaints)

    def visit(self, found: str, source: Path, depth: int) -> None:
        """Read and check a file and what it includes; ``depth`` files lie around it."""
        is_deck = not depth
        self.seen.add(found)
        self.size += source.stat().st_size
        if self.size > MAX_BYTES or len(self.files) >= MAX_FILES:
            raise RejectedDeck(f"the deck needs more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB; split the circuit",
                               file=source)
        if depth > MAX_DEPTH:
            raise RejectedDeck(f"includes lie more than {MAX_DEPTH} deep inside each other; include the file from the deck",
                               file=source)
        name = self.relative(found)
        self.files[name] = DeckFile(path=source, relative=name, cards=())  # its place in the order
        try:
            title, cards = read_cards(source, is_deck=is_deck)
        except RejectedDeck as problem:
            self.complain(problem)
            return
        notes = _Notes()
        control: list[Card] = []
        if is_deck:
            cards, control = take_out_control(cards, notes.add, self.complain)
        checked, fourier = [], []
        for number, card in enumerate(cards):
            try:
                if card.text == ".end" and number < len(cards) - 1:
                    raise card.reject("'.end' with a remark and cards behind it; write .end alone")
                card = self._check(card, found, depth, notes)
            except RejectedDeck as problem:
                if problem.complaints:
                    raise
                self.complain(problem)
                continue
            if card is None:
                continue
            if is_fourier := card.text[:5].lower() == ".four":
                fourier.append(card)
            if not is_fourier or adds_nodes(card):
                checked.append(card)
        self.files[name] = DeckFile(path=source, relative=name, cards=tuple(checked), title=title, control=tuple(control),
                                    fourier=tuple(fourier), notes=notes.told(source))

    def _check(self, card: Card, found: str, depth: int, notes: _Notes) -> Card | None:
        """The card as it is written; None for one that is left out."""
        word = card.keyword if card.text[0] == "." else ""
        if word in (".inc", ".include", ".lib"):
            return self._include(card, found, depth, notes)
        kept = check_card(card, notes.add)
        return check_options(kept, notes.add) if kept is not None and word in (".opt", ".option", ".options") else kept

    def _include(self, card: Card, found: str, depth: int, notes: _Notes) -> Card | None:
        asked = read_include(card, not depth)
        word = card.text.split(None, 1)[0]
        if asked is None:
            return check_card(replace(card, text=" ".join(card.text.replace('"', " ").replace("'", " ").split())), notes.add)
        if asked.section is not None:
            check_card(replace(card, text=f".lib {asked.section}"), notes.add)
        if asked.rest:
            notes.add(card, f"what follows the file's name is passed over by ngspice: {asked.rest}")
        target = find_include(card, asked.name, self.root, posixpath.dirname(found))
        if target not in self.seen:
            self.visit(target, self.root / target, depth + 1)
        # Written below the deck's folder, where ngspice looks first: no second reading of the same name.
        words = [word, self.relative(target), *([] if asked.section is None else [asked.section])]
        return replace(card, text=" ".join(words))


@dataclass(kw_only=True)
class _Notes:
    """Notes of a file: what is said of many lines is told once."""

    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, card: Card, note: str) -> None:
        self.lines.setdefault(note, []).append(card.line)

    def told(self, source: Path) -> tuple[str, ...]:
        return tuple(f"{source.name}:{lines[0]}: {note}" + (f" (and {len(lines) - 1} more lines)" if len(lines) > 1 else "")
                     for note, lines in self.lines.items())
