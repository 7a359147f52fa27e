"""Code models: ngspice's own XSPICE libraries, loaded only for a deck that needs them, and only those that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from circuits.cards.card import Card, DeckFile
from circuits.engine.door.whitelist import DIGITAL_MODELS, model_type
from circuits.engine.ngspice import MEND, Engine
from circuits.errors import FailureKind, SimulationError

ANALOGUE = ("spice2poly", "analog")  # polynomials, and tables and gates of controlled sources
MIXED = (*ANALOGUE, "digital", "xtradev", "xtraevt", "tlines")  # in the order of ngspice's own start-up file

_LOADED = re.compile(r"^\s*codemodel\s+(\S+?/(\w+)\.cm)\s*$", re.M)
_LINEAR = {"e": 6, "g": 6, "f": 5, "h": 5}  # words of a plain linear source


def needed_code_models(files: Sequence[DeckFile]) -> tuple[str, ...]:
    """Names of the libraries that a checked deck needs, in the order of loading; none for a deck without XSPICE."""
    cards = [card for file in files for card in file.cards]
    if any(card.keyword[0] == "a" for card in cards) or any(
            model_type(card) in DIGITAL_MODELS for card in cards if card.keyword in (".model", ".cmodel")):
        return MIXED
    return ANALOGUE if any(_is_translated(card) for card in cards) else ()


def load_lines(engine: Engine, names: Iterable[str], deck: Path) -> list[str]:
    """Lines of a start-up file that load the libraries.

    Raises:
        SimulationError: engine_missing, ngspice came without them.
    """
    known = _installed(engine.path)
    lines = []
    for name in names:
        if name not in known:
            raise SimulationError(f"{engine.path} came without its code model library {name}.cm, which the deck needs; {MEND}",
                                  kind=FailureKind.ENGINE_MISSING, deck=deck)
        lines.append(f"codemodel {known[name]}")
    return lines


def _is_translated(card: Card) -> bool:
    """A controlled source that ngspice turns into a code model: POLY, a table, a gate."""
    words = _LINEAR.get(card.keyword[0])
    return words is not None and len(card.text.split()) != words


@lru_cache(maxsize=8)
def _installed(ngspice: Path) -> dict[str, Path]:
    """Libraries that ngspice's own start-up file loads, those that are there: path by name."""
    startup = ngspice.parent.parent / "share" / "ngspice" / "scripts" / "spinit"
    text = startup.read_text(encoding="utf-8", errors="replace") if startup.is_file() else ""
    return {name: Path(path) for path, name in _LOADED.findall(text) if Path(path).is_file()}
