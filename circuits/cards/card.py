"""Cards: the logical lines of a file of a deck as ngspice reads them, without comments and with ``+`` lines joined.

The rules are those of ngspice 46 in its default mode. Each was tried on ngspice itself, and ``tests/circuits/test_reader.py``
compares them with it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from circuits.errors import RejectedDeck

LONGEST_TITLE = 4000  # bytes; ngspice takes the first 4999 of the first line for the title and reads the rest as a card
SHOWN_TITLE = 400  # bytes of the title that ngspice is given
REMARKS = "*=[]?()&%\"!:,;"  # what the text of a card begins with that ngspice reads as a remark, or that is one of ours

# A first line that an author meant as an element, e.g. "V1 in 0 5".
_ELEMENT = re.compile(r"[rclvi]\w*\d\w*\s+\S+\s+\S+\s+(\d|\.\d|\{|(dc|ac)\s|(pulse|sin|pwl|exp|sffm)\b)", re.I)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)")
_LONE_CONTROL = re.compile(r"^[ \t]*[\x0c\x1a]+[ \t]*\r?$", re.M)  # a page break, and what DOS ends a file with
_COMMENT = re.compile(r"(?<=.);|//|(?<=[ ,\t])\$(?!;)")
_COMMENT_IN_CONTROL = re.compile(r"(?<=.);|//|\$(?= )")  # "$name" is a variable there
_FILES = (".inc", ".lib")  # how a card begins that names a file
_BLANKS = re.compile(r"[ \t]+")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # no Kelvin sign becomes a k
_MICRO = str.maketrans({"\u00b5": "u", "\udcb5": "u"})  # UTF-8 and Latin-1; ngspice reads both as u


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One logical line. ``text`` keeps its case and has single blanks; ``line`` is where it starts, 1-based.

    The text of an ``.include`` or ``.lib`` keeps its blanks, since a quoted file name may hold some.
    """

    file: Path
    line: int
    text: str

    @property
    def keyword(self) -> str:
        """First word in lower case, e.g. ".tran" or "r1"; letters beyond ASCII stay as they are."""
        word = self.text.partition(" ")[0]
        return word.lower() if word.isascii() else word.translate(_LOWER)

    def reject(self, problem: str) -> RejectedDeck:
        """The error to raise for this card; ``problem`` says what is wrong and how to mend it."""
        shown = self.text if len(self.text) <= 100 else self.text[:97] + "..."
        return RejectedDeck(f"{problem} [{shown}]", file=self.file, line=self.line)


@dataclass(frozen=True, kw_only=True)
class DeckFile:
    """A checked file. run() executes what is written from it, so that nothing changes between the check and the run."""

    path: Path  # where it was read
    relative: str  # POSIX path that it is written to, below the run's own folder
    cards: tuple[Card, ...]
    title: str | None = None  # first line of the deck itself, None in an include
    control: tuple[Card, ...] = field(default=())  # lines of the removed .control block
    fourier: tuple[Card, ...] = field(default=())  # .four cards, worked out from the finished waveforms
    notes: tuple[str, ...] = field(default=())  # what was left out or is read otherwise than it looks, each with its line

    def text(self) -> str:
        """The file as ngspice gets it: the checked cards only, each on its old line number."""
        rows: list[str] = [] if self.title is None else [_inert(self.title)]
        for card in self.cards:
            rows.extend("*" for _ in range(card.line - 1 - len(rows)))
            rows.append(card.text)
        return "\n".join(rows) + "\n"


def _inert(title: str) -> str:
    """A title that ngspice only shows, wherever it was taken from.

    To ngspice "*ng_script" on the first line makes a deck a command script, an include there is followed, ".control" changes
    how the next lines are read, and what continues the line is a card. From 505 bytes on a title overflows a buffer when
    ngspice writes its raw file.
    """
    plain = title.encode("utf-8", "replace")[:SHOWN_TITLE].decode("utf-8", "ignore").rstrip("\\ ")
    words = plain.lstrip("* ")
    if re.match("[a-z0-9]", words, re.I | re.ASCII) and not words.lower().startswith("ng_script"):
        return plain
    return "*" if words.lower().startswith("ng_script") else f"* {words}".rstrip()


def hides_its_end(text: str) -> bool:
    """True when ngspice would take a part of the joined card for a remark, which it was not on its own line."""
    return "$" in text and _COMMENT.search(text) is not None


def read_cards(path: Path, *, is_deck: bool) -> tuple[str | None, list[Card]]:
    """Title (None unless ``is_deck``) and cards of a file.

    As in ngspice, ``.end`` ends nothing: cards behind it are read, and the ``.end`` of an include is a remark. A line that
    begins with "@" ends the file. A card whose text begins with one of ``REMARKS`` is none to ngspice.

    Raises:
        RejectedDeck: a control character, a continuation of nothing, or a first line that ngspice would execute.
    """
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as failed:
        raise RejectedDeck(f"cannot be read ({failed.strerror}); check its permissions", file=path) from failed
    if "\x0c" in text or "\x1a" in text:
        text = _LONE_CONTROL.sub("", text)
    if bad := _CONTROL_CHARACTER.search(text):
        raise RejectedDeck(f"control character {bad[0]!r}; save the deck as plain text (UTF-8, line breaks \\n or \\r\\n)",
                           file=path, line=text.count("\n", 0, bad.start()) + 1)
    lines = text.split("\n")
    reader = _Reader(path=path, is_deck=is_deck)
    cards: list[Card] = []
    if is_deck:
        reader.title, cards = _title(path, lines.pop(0).strip(" \t\r\ufeff"))
    cards += reader.cards(lines, 2 if is_deck else 1)
    if reader.end and is_deck:
        cards.append(Card(file=path, line=max(reader.end, cards[-1].line + 1 if cards else 0), text=".end"))
    return reader.title, cards


def parse_cards(path: Path, lines: Sequence[str], first: int = 1) -> Iterator[Card]:
    """Cards of lines that are already in memory, read as those of an include: a ``.title`` and an ``.end`` are no cards.

    Args:
        path: file that the cards are said to be in.
        first: number of the first of these lines.
    Raises:
        RejectedDeck: a continuation of nothing, or a card behind a line that two backslashes continue.
    """
    yield from _Reader(path=path, is_deck=False).cards(lines, first)


@dataclass(kw_only=True)
class _Reader:
    """The rules for lines, and what they set aside while the cards are read."""

    path: Path
    is_deck: bool
    title: str | None = None
    end: int = 0  # line of the last .end; 0: none

    def cards(self, lines: Sequence[str], first: int) -> Iterator[Card]:
        start, words, raw = 0, [], ""
        comment, continues = _COMMENT, False
        for number, line in enumerate(lines, first):
            line = line.strip(" \t\r")
            if not line:
                continue
            if line[0] == "@":
                break
            is_continued, continues = continues, line[0] not in "*$" and line.endswith("\\\\")
            if continues:
                line = line[:-2]
            head = line[:8].lower() if line[:1] == "." else ""
            if is_continued:
                if head:
                    raise self._bad(number, "a card behind a line that ends with two backslashes, which continue it; take "
                                            "the backslashes away")
                line = "+" + line
            if head.startswith(".title"):
                if self.is_deck:
                    self.title = _title_card(line)
                continue
            if head[:4] == ".end" and head[4:5] in ("", " ", "\t"):
                self.end = number
                continue
            if not line or line[0] in "*#$":
                continue
            if found := comment.search(line):
                line = line[:found.start()].rstrip(" \t")
                if not line:
                    continue
            if head == ".control" or head[:5] == ".endc":
                comment = _COMMENT_IN_CONTROL if head == ".control" else _COMMENT
            if not line.isascii():
                line = line.translate(_MICRO)
            parts = line.split() if line.isascii() else _BLANKS.split(line)
            if line[0] == "+":
                if not words:
                    raise self._bad(number, "'+' continues nothing; join it to the card it belongs to")
                words += [parts[0][1:], *parts[1:]] if len(parts[0]) > 1 else parts[1:]
                raw = ""
                continue
            if words:
                yield Card(file=self.path, line=start, text=raw or " ".join(words))
            start, words, raw = number, parts, f"{parts[0]} {line[len(parts[0]):].lstrip()}" if head[:4] in _FILES else ""
        if words:
            yield Card(file=self.path, line=start, text=raw or " ".join(words))

    def _bad(self, line: int, problem: str) -> RejectedDeck:
        return RejectedDeck(problem, file=self.path, line=line)


def _title(path: Path, title: str) -> tuple[str, list[Card]]:
    """The first line is the title, whatever it says; ngspice follows an include in it all the same."""
    card = Card(file=path, line=1, text=title or "*")
    word = card.keyword if title else ""
    # "*ng_script" turns a deck into a command script, ".control" changes how what follows is read.
    if (title.lower().lstrip("* ").startswith("ng_script") or word.startswith((".control", ".endc", "+", "@"))
            or title.endswith("\\\\")):
        raise RejectedDeck(f"the first line of a deck is its title, and {title[:60]!r} is not plain text; put a title "
                           "line above it", file=path, line=1)
    if len(title.encode("utf-8", "replace")) > LONGEST_TITLE:
        raise RejectedDeck(f"the first line, the title, is longer than {LONGEST_TITLE} bytes, and ngspice reads the rest as a "
                           "card; shorten it", file=path, line=1)
    if word.startswith(".title"):
        return _title_card(title), []
    if word in (".include", ".inc", ".lib"):
        return "*", [card]
    if word.startswith(".") or _ELEMENT.match(title):
        return f"* {_shown_title(title)}", [Card(file=path, line=1, text=f"* {title}")]
    return _shown_title(title) or "*", []


def _title_card(line: str) -> str:
    return _shown_title("".join(line.split(None, 1)[1:]).strip()) or "*"


def _shown_title(title: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in title)
