"""A compiled folder at a corner: the same twin's decks, rendered from the folder's manifest and conductances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from circuits.cards.card import parse_cards
from circuits.cards.difference import first_difference
from circuits.corners.board import board_at
from circuits.corners.corner import CORNERS, Corner
from circuits.corners.deck import deck_at
from circuits.errors import CircuitError
from circuits.netlist.deck import Deck, write_files
from circuits.netlist.folder_lock import only_writer
from cosim.errors import ResultsError
from cosim.folder.corner import manifest_at
from cosim.folder.decks import DeckPlan, case_deck
from cosim.folder.manifest import CALL, CALL_CONSTANTS, MANIFEST_NAME, Manifest
from cosim.folder.read import read_folder_network, read_plan, read_programmed
from cosim.problem.reference import reference

DIGITS = 1e-6  # relative: what a macromodel's numbers may differ by from one machine's linear algebra to another's


@dataclass(frozen=True, kw_only=True, eq=False)
class NominalFolder:
    """A compiled folder, as its decks at any corner are rendered from it; see :func:`read_nominal`."""

    manifest: Manifest
    plan: DeckPlan  # every cell drawn
    conductances: tuple[tuple[np.ndarray, ...], ...]  # a layer, a tile: (32, 32) [S], as programmed
    expected: Mapping[str, np.ndarray]  # case -> torch solution (samples, states), model units

    def files(self, corner: Corner) -> dict[str, str]:
        """Relative path -> text of the folder's decks at a corner, and of every file that they include but conductances.

        Raises:
            circuits.errors.CircuitError: as :func:`circuits.corners.deck.deck_at`.
        """
        drawn = self._drawn(corner) if corner.changes else self._nominal
        files: dict[str, str] = {}
        for name, deck in drawn.items():
            files |= deck_at(deck, corner, nominal=self._nominal[name]).files()
        return files

    def write(self, target: Path, corner: Corner) -> None:
        """Write the decks at a corner, with manifest, weights and conductances, so that the same readers work on the folder.

        Args:
            target: made if missing; another folder than the nominal one. What is written already is left alone.
        Raises:
            ResultsError: the weights are not in the nominal folder.
            circuits.errors.CircuitError: the target is the nominal folder; or as :meth:`files`.
        """
        source = self.manifest.folder
        if source.resolve() == target.resolve():
            raise CircuitError(f"corner {corner.name} would overwrite the nominal decks in {source}; name another folder")
        weights = self.manifest.weights
        if weights.parent != source:
            raise ResultsError(f"{source / MANIFEST_NAME} names the weights {weights}, which are not in its folder and would "
                               "not be in the corner's; compile again")
        beside = [weights.name, *((CALL, CALL_CONSTANTS) if self.manifest.call_sha256 else ()), *self.manifest.array_files,
                  *(f"conductances/{tile.name}.inc" for layer in self.plan.board.layers for tile in layer.tiles)]
        copied = {name: (source / name).read_bytes() for name in beside}
        files = {**copied, **self.files(corner), MANIFEST_NAME: manifest_at(self.manifest, corner)}
        with only_writer(target):
            write_files(target, files)

    def check(self) -> None:
        """Refuse a folder whose decks are not those that its manifest describes: a corner would lack what was edited.

        Raises:
            ResultsError: a file is missing or holds another circuit; names file and line.
        """
        for name, text in self.files(CORNERS["nominal"]).items():
            path = self.manifest.folder / name
            if not path.is_file():
                raise ResultsError(f"{path} does not exist; compile again")
            if (there := path.read_text()) != text:
                _check_same(path, there, text)

    @cached_property
    def _nominal(self) -> dict[str, Deck]:
        return self._drawn(CORNERS["nominal"])

    def _drawn(self, corner: Corner) -> dict[str, Deck]:
        """Case -> deck with the corner's supplies, wires and select transistors."""
        board = board_at(self.plan.board, corner, self.conductances if self.manifest.fidelity == "macro" else None)
        plan = replace(self.plan, board=board)
        return {name: case_deck(plan, case, self.expected[name], corner.rail) for name, case in self.manifest.cases.items()}


def _check_same(path: Path, there: str, rendered: str) -> None:
    title = int(path.suffix == ".cir")  # a deck's first line, which is no card
    cards, wanted = (parse_cards(path, text.splitlines()[title:], 1 + title) for text in (there, rendered))
    difference = first_difference(cards, wanted, tolerance=DIGITS)
    if difference is None:
        return
    (place, holds), (_, wants) = ((f":{card.line}", f"[{card.text[:100]}]") if card else ("", "nothing more")
                                  for card in difference)
    raise ResultsError(f"{path}{place} holds {holds} where {MANIFEST_NAME} and the conductances make {wants}. A corner is "
                       "rendered from those two, so that it would lack what was edited here; undo the edit or compile again, "
                       "and edit the corner's deck instead")


def read_nominal(manifest: Manifest) -> NominalFolder:
    """A compiled folder, of either fidelity, ready to be rendered at corners.

    Raises:
        ResultsError: a field of the manifest is missing or damaged, the decks are at a corner already, they are not what the
            compiler writes for this manifest, or the weights are others.
        circuits.errors.CircuitError: a conductance file is missing or incomplete.
    """
    plan, network = read_plan(manifest), read_folder_network(manifest)
    expected = {name: reference(network, case) for name, case in manifest.cases.items()}
    folder = NominalFolder(manifest=manifest, plan=plan, conductances=read_programmed(manifest, plan.board), expected=expected)
    folder.check()
    return folder


def write_corner_folder(manifest: Manifest, target: Path, corner: Corner) -> None:
    """Write a compiled folder's decks at one corner; see :meth:`NominalFolder.write`, and for many :func:`read_nominal`."""
    read_nominal(manifest).write(target, corner)
