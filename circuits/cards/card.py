"""Cards: the logical lines of a file of a deck, without comments and with ``+`` lines joined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from circuits.errors import RejectedDeck

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COMMENT = re.compile(r";|//|(?:^|\s)\$")  # ngspice's trailing comments in its default mode


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One logical line. ``text`` keeps its case and has single blanks; ``line`` is where it starts, 1-based."""

    file: Path
    line: int
    text: str

    @property
    def keyword(self) -> str:
        """First word in lower case, e.g. ".tran" or "r1"."""
        return self.text.split(None, 1)[0].lower()

    def reject(self, problem: str) -> RejectedDeck:
        """The error to raise for this card; ``problem`` says what is wrong and how to mend it."""
        shown = self.text if len(self.text) <= 100 else self.text[:97] + "..."
        return RejectedDeck(f"{problem} [{shown}]", file=self.file, line=self.line)


@dataclass(frozen=True, kw_only=True)
class DeckFile:
    """A checked file. run() executes what is written from it, so that nothing changes between the check and the run."""

    path: Path  # where it was read
    relative: str  # POSIX path below the deck's folder
    cards: tuple[Card, ...]
    title: str | None = None  # first line of the deck itself, None in an include
    control: tuple[Card, ...] = field(default=())  # lines of the removed .control block

    def text(self) -> str:
        """The file as ngspice gets it: the checked cards only, each on its old line number."""
        rows: list[str] = [] if self.title is None else [self.title]
        for card in self.cards:
            rows.extend("*" for _ in range(card.line - 1 - len(rows)))
            rows.append(card.text)
        return "\n".join(rows) + "\n"


def read_cards(path: Path, *, is_deck: bool) -> tuple[str | None, list[Card]]:
    """Title (None unless ``is_deck``) and cards of a file. What follows ``.end`` is not read.

    Raises:
        RejectedDeck: a control character, a continuation of nothing, or a first line that is not a plain title.
    """
    try:
        lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    except OSError as failed:
        raise RejectedDeck(f"cannot be read ({failed.strerror}); check its permissions", file=path) from failed
    for number, line in enumerate(lines, 1):
        if bad := _CONTROL_CHARACTER.search(line.removesuffix("\r")):
            raise RejectedDeck(f"control character {bad[0]!r}; save the deck as plain text", file=path, line=number)
    title = _title(path, lines.pop(0).strip()) if is_deck else None
    cards = []
    for card in parse_cards(path, lines, 2 if is_deck else 1):
        cards.append(card)
        if is_deck and card.keyword == ".end":
            break
    return title, cards


def parse_cards(path: Path, lines: Sequence[str], first: int = 1) -> Iterator[Card]:
    """Cards of lines that are already in memory.

    Args:
        path: file that the cards are said to be in.
        first: number of the first of these lines.
    Raises:
        RejectedDeck: a continuation of nothing.
    """
    start, words = 0, []
    for number, line in enumerate(lines, first):
        line = line.strip()
        if not line or line.startswith("*"):
            continue
        if comment := _COMMENT.search(line):
            line = line[:comment.start()]
            if not line.strip():
                continue
        if line.startswith("+"):
            if not words:
                raise RejectedDeck("'+' continues nothing; join it to the card it belongs to", file=path, line=number)
            words += line[1:].split()
            continue
        if words:
            yield Card(file=path, line=start, text=" ".join(words))
        start, words = number, line.split()
    if words:
        yield Card(file=path, line=start, text=" ".join(words))


def _title(path: Path, title: str) -> str:
    # "*ng_script" turns a deck into a command script, and a first line that is a card is executed as one.
    if title.lower().lstrip("* ").startswith("ng_script") or title.startswith((".", "+")) or "\\" in title:
        raise RejectedDeck(f"the first line of a deck is its title, and {title[:60]!r} is not plain text; put a title "
                           "line above it", file=path, line=1)
    return title or "*"
