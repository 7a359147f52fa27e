"""Includes: which file a card names, and that it lies in the deck's folder."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from circuits.cards.card import Card

MAX_BYTES = 64 * 2**20  # of all files of a deck together; the 577 files of a network of 512 hidden neurons have 12 MiB
LONGEST_SHOWN = 100  # letters of a file's name in a message

_INCLUDE = re.compile(r"\.inc(?:lude)?\s+(?:\"([^\"]+)\"|'([^']+)'|(\S+))\s*(.*)", re.I)
_LIBRARY = re.compile(r"\.lib\s+(?:\"([^\"]+)\"|'([^']+)'|(\S+))(?:\s+[\"']?([^\s\"']+)[\"']?)?\s*(.*)", re.I)


@dataclass(frozen=True, kw_only=True)
class Include:
    """What an ``.include`` or ``.lib`` card asks for."""

    name: str  # as written, quotes gone
    section: str | None  # of a library
    rest: str  # what ngspice passes over


def read_include(card: Card, is_deck: bool) -> Include | None:
    """What the card includes; None for ``.lib section``, the start of a section in a library.

    Raises:
        RejectedDeck: no file is named.
    """
    is_library = card.keyword == ".lib"
    found = (_LIBRARY if is_library else _INCLUDE).fullmatch(card.text)
    if not found:
        raise card.reject("names no file; write '.include file' or '.lib file section'")
    name = found[1] or found[2] or found[3]
    if is_library and found[4] is None:
        if is_deck:
            raise card.reject(f".lib without a section is LTspice's; for ngspice write .include {name}, or .lib {name} section")
        return None
    return Include(name=name, section=found[4] if is_library else None, rest=found[5 if is_library else 4])


def find_include(card: Card, name: str, root: Path, folder: str) -> str:
    """Path of the file below ``root``, POSIX.

    Looked for as ngspice does: below the deck's folder, then beside the including file. An absolute name must lead there too.

    Args:
        root: the deck's folder, resolved.
        folder: that of the including file, below it.
    Raises:
        RejectedDeck: no such file, one outside the folder, or two that could be meant.
    """
    shown = repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN - 3] + "...")
    if name.startswith("~"):
        raise card.reject(f"include {shown} is outside the deck's folder {root}; copy the file there")
    if name.startswith("/"):
        places = [_below(Path(name), root)]
    else:
        places = [posixpath.normpath(name), posixpath.normpath(posixpath.join(folder, name))]
    inside = [place for place in dict.fromkeys(places) if place is not None and not place.startswith("../") and place != ".."]
    if not inside:
        raise card.reject(f"include {shown} is outside the deck's folder {root}; copy the file there and write its name alone")
    found = [place for place in inside if _is_file(root / place)]
    for place in found:
        if not (root / place).resolve().is_relative_to(root):
            raise card.reject(f"include {shown} is a link out of the deck's folder {root}; copy the file there")
    if len(found) == 2 and not _same(root / found[0], root / found[1]):
        raise card.reject(f"include {shown} could be {found[0]} or {found[1]}; rename one of them")
    if not found:
        raise card.reject(f"include {shown} is not a file below the deck's folder {root}; copy it there or correct it")
    return found[0]


def _same(path: Path, other: Path) -> bool:
    sizes = {path.stat().st_size, other.stat().st_size}
    return len(sizes) == 1 and max(sizes) <= MAX_BYTES and path.read_bytes() == other.read_bytes()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _below(path: Path, root: Path) -> str | None:
    try:
        return path.resolve().relative_to(root).as_posix()
    except (ValueError, OSError, RuntimeError):  # outside, or a circle of links
        return None
