"""A deck with other solver settings: the same circuit, other tolerances, step and integration method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from circuits.cards.card import Card, DeckFile
from circuits.cards.number import spice_number
from circuits.errors import CircuitError
from circuits.netlist.solver import Solver

DEFAULTS = {"reltol": 1e-3, "abstol": 1e-12, "vntol": 1e-6, "chgtol": 1e-14}  # ngspice's own; A, V, C
OF_A_SOLVER = ("method", "trtol", "chgtol", "xmu")  # what `Solver` chooses


@dataclass(frozen=True, kw_only=True)
class SolverVariation:
    """Changes to the solver settings of a deck."""

    name: str
    tolerance: float = 1.0  # factor on reltol, abstol, vntol, chgtol
    step: float = 1.0  # factor on the largest step
    solver: Solver | None = None  # its method, trtol, xmu and chgtol instead of the deck's own

    def apply(self, files: Mapping[str, DeckFile], deck: str) -> dict[str, str]:
        """All files of a deck as text; the deck itself has the changed settings.

        Args:
            files: by path below the deck's folder.
            deck: which of them is the deck.
        Raises:
            CircuitError: the deck has no ``.options`` or no ``.tran step stop start max`` at its top level.
        """
        changed = _changed(files[deck], deck, ".options", lambda card: card.keyword.startswith(".opt"), self._options)
        changed = _changed(changed, deck, ".tran step stop start largest_step",
                           lambda card: card.keyword == ".tran" and len(card.text.split()) == 5, self._transient)
        return {name: (changed if name == deck else file).text() for name, file in files.items()}

    def _options(self, card: Card) -> str:
        words = card.text.lower().split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        if self.solver is not None:
            kept = {name: value for name, value in options.items() if name not in OF_A_SOLVER}
            options = kept | dict(word.split("=", 1) for word in self.solver.options.split() if "=" in word)
        for name, default in DEFAULTS.items():
            if self.tolerance != 1:
                options[name] = repr((spice_number(options.get(name, "")) or default) * self.tolerance)
        return " ".join([word for word in words if "=" not in word] + [f"{name}={value}" for name, value in options.items()])

    def _transient(self, card: Card) -> str:
        *words, step = card.text.split()
        largest = spice_number(step)
        if largest is None:
            raise CircuitError(f".tran's largest step {step} is not a number; write it as one")
        return " ".join([*words, repr(largest * self.step)])


def _changed(file: DeckFile, deck: str, what: str, is_it: Callable[[Card], bool], change: Callable[[Card], str]) -> DeckFile:
    """The file with the first card changed for which ``is_it`` is true; ``what`` names that card in the error."""
    place = next((place for place, card in enumerate(file.cards) if is_it(card)), None)
    if place is None:
        raise CircuitError(f"{deck} has no {what} card to change; add it")
    card = replace(file.cards[place], text=change(file.cards[place]))
    return replace(file, cards=(*file.cards[:place], card, *file.cards[place + 1 :]))
