"""A deck with other solver settings: the same circuit, other tolerances, step and integration method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from circuits.engine.cards import DeckFile
from circuits.engine.request import spice_number
from circuits.errors import CircuitError

DEFAULTS = {"reltol": 1e-3, "abstol": 1e-12, "vntol": 1e-6, "chgtol": 1e-14}  # ngspice's own; A, V, C


@dataclass(frozen=True, kw_only=True)
class SolverVariation:
    """What is changed of a deck's settings."""

    name: str
    tolerance: float = 1.0  # factor on reltol, abstol, vntol, chgtol
    step: float = 1.0  # factor on the largest step
    gear: bool = False  # Gear of order 2 instead of the trapezoidal rule

    def apply(self, files: Mapping[str, DeckFile], deck: str) -> dict[str, str]:
        """Files of the deck as text, the deck's own with these settings.

        Args:
            files: by path below the deck's folder.
            deck: which of them is the deck.
        Raises:
            CircuitError: the deck has no ``.options`` or no ``.tran step stop start max`` at its top level.
        """
        texts = {name: file.text() for name, file in files.items()}
        text, n = re.subn(r"(?im)^\.opt\S*\s.*$", lambda found: self._options(found[0]), texts[deck], count=1)
        text, m = re.subn(r"(?im)^(\.tran\s+\S+\s+\S+\s+\S+\s+)(\S+)$", self._transient, text, count=1)
        if not n or not m:
            raise CircuitError(f"{deck} has no {'.options' if not n else '.tran step stop start largest_step'} card to change; "
                               "add it")
        return texts | {deck: text}

    def _options(self, card: str) -> str:
        words = card.lower().split()
        given = dict(word.split("=", 1) for word in words if "=" in word)
        for name, default in DEFAULTS.items():
            if self.tolerance != 1:
                given[name] = repr((spice_number(given.get(name, "")) or default) * self.tolerance)
        if self.gear:
            given["method"] = "gear"
        return " ".join([word for word in words if "=" not in word] + [f"{name}={value}" for name, value in given.items()])

    def _transient(self, found: re.Match[str]) -> str:
        largest = spice_number(found[2])
        if largest is None:
            raise CircuitError(f".tran's largest step {found[2]} is not a number; write it as one")
        return f"{found[1]}{largest * self.step!r}"
