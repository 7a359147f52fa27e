"""Where an element of a folder's macro decks comes from, worked out anew, beside the number that the deck holds."""

from __future__ import annotations

import math

from circuits.board.origin import FORMS, Origin, macro_file, origin
from circuits.cards.card import read_cards
from circuits.cards.number import spice_number
from circuits.errors import CircuitError
from cosim.errors import CosimError, ResultsError
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_board, read_programmed

AGREES = {"S": 1e-7, "F": 1e-9, "A/V^2": 1e-3}  # relative, by the unit; the deck rounds curvatures to four digits


def element_origins(manifest: Manifest, element: str) -> list[tuple[Origin, float]]:
    """The origin of an element in every layer that has it, each with the deck's number (nan: an expression).

    Args:
        element: its name in the block, e.g. g_bl3_sl4; before it, parted by dots, the layer may stand, or the whole of
            ngspice's name, e.g. g.xboard.xhidden_2.xarrays.g_bl3_sl4.
    Raises:
        CosimError: the decks are flat, or no layer has the element.
        ResultsError: the decks are at a corner, or do not hold what the manifest and the conductances make.
    """
    board = read_board(manifest)
    if manifest.fidelity != "macro":
        raise CosimError(f"{manifest.folder} holds {manifest.fidelity} decks, which draw every cell with its own conductance; "
                         "--why asks for elements that many cells make, and those are in decks of `cosim compile --fidelity "
                         "macro`")
    *places, name = element.lower().split(".")
    programmed = read_programmed(manifest, board)
    named = [layer.name for layer in board.layers if {layer.name, f"x{layer.name}"} & set(places)]
    if places and not named:
        raise CosimError(f"{element} names no layer of this board; it has {', '.join(layer.name for layer in board.layers)}")
    origins, refused = [], []
    for spec, conductances in zip(board.layers, programmed, strict=True):
        if named and spec.name not in named:
            continue
        try:
            found = origin(spec, conductances, name)
        except CircuitError as error:
            refused.append(str(error))
            continue
        origins.append((found, _number(manifest, macro_file(spec), found)))
    if not origins:
        raise CosimError(f"{'; '.join(refused)}. Elements are {FORMS}; which of them a layer has is in its file in blocks/")
    return origins


def _number(manifest: Manifest, file: str, found: Origin) -> float:
    path = manifest.folder / "blocks" / file
    if not path.is_file():
        raise ResultsError(f"{path} does not exist: the folder is damaged, or of a version that drew each array by itself; its "
                           "decks still run, and to ask for an element compile it again")
    card = next((card for card in read_cards(path, is_deck=False)[1] if card.keyword == found.element), None)
    if card is None:
        raise ResultsError(f"{path} has no {found.element}, which the conductances make; compile again")
    if math.isnan(found.deck):
        return math.nan
    number = spice_number(card.text.split()[-1])
    if number is None or not math.isclose(number, found.deck, rel_tol=AGREES[found.unit]):
        raise ResultsError(f"{path}:{card.line} holds [{card.text}], where the conductances make {found.deck:.9g}; undo the "
                           "edit or compile again")
    return number
